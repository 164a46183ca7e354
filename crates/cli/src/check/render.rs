//! `--render`: Helm charts and kustomizations as what they make, by the programs that make it.

use super::files::{Input, reason};
use podsight_report::FileProblem;
use podsight_spec::{Document, read};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A chart or kustomization makes no more text than this.
const LARGEST: u64 = 32 << 20;

/// It is given so long.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The names of a kustomization's file.
const KUSTOMIZATION: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Charts and kustomizations among the inputs.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    charts: BTreeSet<PathBuf>,
    kustomizations: BTreeSet<PathBuf>,
}

/// What one source file became.
#[derive(Debug)]
pub(crate) struct Rendered {
    /// The file that it came from, where it is known; else the chart's or kustomization's own.
    pub(crate) file: PathBuf,
    /// What was made.
    pub(crate) documents: Vec<Document>,
}

/// All that was rendered.
#[derive(Debug, Default)]
pub(crate) struct Rendering {
    /// By source file.
    pub(crate) rendered: Vec<Rendered>,
    /// Files whose content is in it: they are not to be checked by themselves.
    pub(crate) covered: BTreeSet<PathBuf>,
    /// What could not be rendered.
    pub(crate) problems: Vec<FileProblem>,
}

/// The chart that a file belongs to as a template: the outermost, where charts lie in charts.
pub(crate) fn chart_of_template(file: &Path) -> Option<PathBuf> {
    let chart = outermost_chart(file)?;
    let within = file.strip_prefix(&chart).ok()?;
    within.components().any(|part| part.as_os_str() == "templates").then_some(chart)
}

fn outermost_chart(file: &Path) -> Option<PathBuf> {
    file.ancestors().skip(1).filter(|folder| folder.join("Chart.yaml").is_file()).last().map(Path::to_owned)
}

impl Sources {
    /// Those that the inputs belong to.
    pub(crate) fn of(inputs: &[Input]) -> Self {
        let mut sources = Self::default();
        for input in inputs {
            let Input::File(file) = input else { continue };
            sources.charts.extend(outermost_chart(file));
            let is_kustomization = file.file_name().is_some_and(|name| KUSTOMIZATION.iter().any(|known| name == *known));
            sources.kustomizations.extend(file.parent().filter(|_| is_kustomization).map(Path::to_owned));
        }
        sources
    }

    /// One line for each chart whose templates were left alone.
    pub(crate) fn notes(&self) -> Vec<String> {
        let has_templates = |chart: &&PathBuf| chart.join("templates").is_dir();
        let note = |chart: &PathBuf| format!("{}: a Helm chart: give --render to check what it makes", display(chart));
        self.charts.iter().filter(has_templates).map(note).collect()
    }

    /// Renders all charts, and the kustomizations that no other one takes in.
    pub(crate) fn render(&self) -> Rendering {
        let mut rendering = Rendering::default();
        for chart in &self.charts {
            rendering.chart(chart);
        }
        let bases: BTreeSet<PathBuf> = self.kustomizations.iter().flat_map(|folder| folders_in(folder)).collect();
        for folder in &self.kustomizations {
            if !folder.canonicalize().is_ok_and(|folder| bases.contains(&folder)) && !is_component(folder) {
                rendering.kustomization(folder);
            }
        }
        rendering
    }
}

impl Rendering {
    /// Whether all of the input is in what was rendered.
    pub(crate) fn covers(&self, input: &Input) -> bool {
        let Input::File(path) = input else { return false };
        !self.covered.is_empty() && path.canonicalize().is_ok_and(|path| self.covered.contains(&path))
    }

    fn chart(&mut self, chart: &Path) {
        let absolute = chart.canonicalize().unwrap_or_else(|_| chart.to_owned());
        let mut command = Command::new("helm");
        command.args(["template", "release"]).arg(&absolute);
        let own = chart.join("Chart.yaml");
        let Some(documents) = self.made(&mut command, "helm", &own) else { return };
        let mut by_file: BTreeMap<PathBuf, Vec<Document>> = BTreeMap::new();
        for document in documents {
            // `# Source: chart/templates/deployment.yaml`, the chart by its name and not its folder's.
            let source = document.text().lines().take(4).find_map(|line| line.strip_prefix("# Source: "));
            let path = source.and_then(|source| source.split_once('/')).map(|(_, path)| chart.join(path)).filter(|path| path.is_file());
            by_file.entry(path.unwrap_or_else(|| own.clone())).or_default().push(document);
        }
        self.rendered.extend(by_file.into_iter().map(|(file, documents)| Rendered { file, documents }));
    }

    fn kustomization(&mut self, folder: &Path) {
        let own = KUSTOMIZATION.iter().map(|name| folder.join(name)).find(|file| file.is_file()).unwrap_or_else(|| folder.to_owned());
        // A kustomization around it makes kustomize say where each object comes from.
        let around = match around(folder) {
            Ok(around) => around,
            Err(error) => return self.problem(&own, format!("cannot be rendered: {}", reason(&error))),
        };
        let kustomize = is_there("kustomize");
        let mut command = Command::new(if kustomize { "kustomize" } else { "kubectl" });
        command.arg(if kustomize { "build" } else { "kustomize" }).arg(around.path());
        let Some(documents) = self.made(&mut command, "kustomize or kubectl", &own) else { return };
        let base = around.path().canonicalize().unwrap_or_else(|_| around.path().to_owned());
        let mut by_file: BTreeMap<PathBuf, Vec<Document>> = BTreeMap::new();
        for document in documents {
            let origin = document.value.pointer("/metadata/annotations/config.kubernetes.io~1origin").and_then(Value::as_str);
            let path = origin.and_then(|origin| origin.lines().find_map(|line| line.strip_prefix("path: ")));
            let file = path.and_then(|path| base.join(path.trim()).canonicalize().ok()).filter(|file| file.is_file());
            if let Some(file) = &file {
                self.covered.insert(file.clone());
            }
            by_file.entry(file.unwrap_or_else(|| own.clone())).or_default().push(document);
        }
        self.rendered.extend(by_file.into_iter().map(|(file, documents)| Rendered { file: shorter(&file), documents }));
    }

    /// What the program makes; a problem at the file where it makes nothing.
    fn made(&mut self, command: &mut Command, program: &str, file: &Path) -> Option<Vec<Document>> {
        match output(command) {
            Ok(bytes) => {
                let (documents, problems) = read(&bytes);
                for problem in problems {
                    self.problem(file, format!("what it makes cannot be read: {}", problem.message));
                }
                Some(documents)
            }
            Err(Failure::Absent) => {
                self.problem(file, format!("cannot be rendered: there is no {program} on the PATH"));
                None
            }
            Err(Failure::Other(message)) => {
                self.problem(file, format!("cannot be rendered: {message}"));
                None
            }
        }
    }

    fn problem(&mut self, file: &Path, message: String) {
        self.problems.push(FileProblem { file: display(file), line: None, message });
    }
}

enum Failure {
    Absent,
    Other(String),
}

/// Standard output of a program that ends well and in time.
fn output(command: &mut Command) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| Failure::Other(reason(&error));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| if error.kind() == std::io::ErrorKind::NotFound { Failure::Absent } else { failed(error) })?;
    let reader = |stream: Option<Box<dyn std::io::Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(stream) = stream {
                // What was read before an error is all there is.
                stream.take(LARGEST + 1).read_to_end(&mut bytes).ok();
            }
            bytes
        })
    };
    let out = reader(child.stdout.take().map(|stream| Box::new(stream) as _));
    let err = reader(child.stderr.take().map(|stream| Box::new(stream) as _));
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        if started.elapsed() > TIMEOUT {
            // It may have ended meanwhile; either way it is waited for.
            child.kill().ok();
            child.wait().map_err(failed)?;
            return Err(Failure::Other(format!("it takes longer than {} s", TIMEOUT.as_secs())));
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
    if u64::try_from(out.len()).unwrap_or(u64::MAX) > LARGEST {
        return Err(Failure::Other(format!("it makes more than {} MiB", LARGEST >> 20)));
    }
    if status.success() {
        return Ok(out);
    }
    let said = String::from_utf8_lossy(&err);
    let line = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it says nothing about the reason");
    Err(Failure::Other(podsight_rules::shown(line.trim_start_matches("Error: ").trim_start_matches("error: "), 300)))
}

/// A folder with a kustomization of nothing but this one.
fn around(folder: &Path) -> std::io::Result<tempfile::TempDir> {
    let around = tempfile::Builder::new().prefix("podsight-").tempdir()?;
    let from = around.path().canonicalize()?;
    let up = from.components().filter(|part| matches!(part, Component::Normal(_))).count();
    // An absolute path is no base to kustomize.
    let path = "../".repeat(up) + &folder.canonicalize()?.to_string_lossy().trim_start_matches('/').replace('\\', "/");
    let text = serde_json::json!({"resources": [path], "buildMetadata": ["originAnnotations"]}).to_string();
    std::fs::write(around.path().join("kustomization.yaml"), text)?;
    Ok(around)
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn kustomization_in(folder: &Path) -> Option<Value> {
    let bytes = KUSTOMIZATION.iter().find_map(|name| std::fs::read(folder.join(name)).ok())?;
    read(&bytes).0.into_iter().next().map(|document| document.value)
}

/// The folders that a kustomization takes in.
fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let Some(value) = kustomization_in(folder) else { return Vec::new() };
    let lists = ["resources", "bases", "components"].into_iter().filter_map(|list| value.get(list).and_then(Value::as_array));
    let paths = lists.flatten().filter_map(Value::as_str).filter_map(|path| folder.join(path).canonicalize().ok());
    paths.filter(|path| path.is_dir()).collect()
}

fn is_component(folder: &Path) -> bool {
    kustomization_in(folder).is_some_and(|value| value.get("kind").and_then(Value::as_str) == Some("Component"))
}

/// The path from the working folder, where it is below it.
fn shorter(file: &Path) -> PathBuf {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    here.ok().and_then(|here| file.strip_prefix(here).ok().map(Path::to_owned)).unwrap_or_else(|| file.to_owned())
}

fn display(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Where a value of a rendered document stands in the file that it came from: the line of the same text, where there is just one.
pub(crate) fn line_of(source: &str, rendered: &str) -> Option<u32> {
    let wanted = rendered.trim();
    let mut same = source.lines().enumerate().filter(|(_, line)| line.trim() == wanted);
    let (number, _) = same.next().filter(|_| !wanted.is_empty())?;
    same.next().is_none().then(|| u32::try_from(number).ok()?.checked_add(1))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_where_it_is_the_only_one() {
        assert_eq!(line_of("a: 1\n{{ if x }}\n  b: 2\n{{ end }}\n", "b: 2"), Some(3));
        assert_eq!(line_of("b: 2\n  b: 2\n", "b: 2"), None);
        assert_eq!(line_of("b: {{ x }}\n", "b: 2"), None);
        assert_eq!(line_of("\n", ""), None);
    }

    #[test]
    fn templates_belong_to_the_outermost_chart() {
        let folder = tempfile::tempdir().unwrap();
        let of = |path: &str| folder.path().join(path);
        std::fs::create_dir_all(of("a/charts/b/templates")).unwrap();
        for chart in ["a/Chart.yaml", "a/charts/b/Chart.yaml"] {
            std::fs::write(of(chart), "").unwrap();
        }
        assert_eq!(chart_of_template(&of("a/charts/b/templates/x.yaml")), Some(of("a")));
        assert_eq!(chart_of_template(&of("a/values.yaml")), None);
        assert_eq!(chart_of_template(&of("templates/x.yaml")), None);
    }
}
