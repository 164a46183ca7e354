//! One run over all inputs.

use super::cluster::{self, Answer};
use super::files::{self, Input};
use super::render::{self, Rendered, Sources, line_of};
use super::{load, registry};
use podsight_cluster::Combined;
use podsight_report::{FileProblem, Item, Report};
use podsight_rules::{Bundle, Certainty, Facts, Finding, Folder, NoFacts, Presence, RefKind, check_with, references};
use podsight_spec::{Document, ImageRef, Position, Workload, read, workloads};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Which findings are wanted.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// The least certainty.
    pub(crate) least: Certainty,
    /// Only these rules, if any.
    pub(crate) only: Vec<String>,
    /// All but these.
    pub(crate) skip: Vec<String>,
    /// Whether charts and kustomizations are rendered.
    pub(crate) render: bool,
    /// Whether registries are asked.
    pub(crate) registry: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The answer.
    pub(crate) report: Report,
    /// Lines for standard error.
    pub(crate) notes: Vec<String>,
    /// Whether there was nothing that could be read at all.
    pub(crate) nothing_read: bool,
    /// What came on standard input.
    pub(crate) standard: Option<Vec<u8>>,
}

/// A reference that the first pass could not judge: the files behind it were not read yet.
struct Pending {
    input: usize,
    namespace: Option<String>,
    kind: RefKind,
    name: String,
    key: Option<String>,
}

/// Checks all inputs, with the cluster if it is to be asked. The files are read one by one; only what they define and refer to is kept, and the few with a doubtful reference are read again.
pub(crate) fn run(paths: &[PathBuf], wanted: &Wanted, asked: &cluster::Args) -> Outcome {
    let inputs = files::inputs(paths);
    let mut outcome = Outcome::default();
    let mut bundle = Bundle::default();
    let mut pending: Vec<Pending> = Vec::new();
    let mut needs = cluster::Needs::default();
    let mut by_input: Vec<Vec<Item>> = Vec::new();
    let mut standard = None;
    let mut documents_read = 0;
    // Where the workloads are: input and namespace.
    let mut places: BTreeSet<(usize, Option<String>)> = BTreeSet::new();
    let mut images = BTreeMap::new();
    let sources = Sources::of(&inputs);
    let rendering = if wanted.render { sources.render() } else { render::Rendering::default() };
    for (number, input) in inputs.iter().enumerate() {
        let name = name(input);
        by_input.push(Vec::new());
        let is_template = matches!(input, Input::File(path) if render::chart_of_template(path).is_some());
        if wanted.render && is_template || rendering.covers(input) {
            outcome.report.files.push(name);
            continue;
        }
        let bytes = match load::load(input, &mut standard) {
            Ok(bytes) => bytes,
            Err(message) => {
                outcome.report.problems.push(FileProblem { file: name, line: None, message });
                continue;
            }
        };
        let (documents, problems) = read(&bytes);
        documents_read += documents.len();
        let problems = if is_template { Vec::new() } else { problems };
        outcome.report.problems.extend(problems.into_iter().map(|problem| FileProblem {
            file: name.clone(),
            line: problem.line,
            message: problem.message,
        }));
        let folder = folder(input);
        for document in &documents {
            bundle.add(&document.value, &folder);
            for workload in workloads(&document.value) {
                outcome.report.workloads += 1;
                if wanted.registry {
                    note_images(&workload, &name, &mut images);
                }
                let containers = workload.containers();
                let refers = references(&workload, &containers);
                needs.add(&workload, &refers);
                places.insert((number, workload.namespace.map(str::to_owned)));
                pending.extend(refers.into_iter().filter(|reference| !reference.optional).map(|reference| Pending {
                    input: number,
                    namespace: workload.namespace.map(str::to_owned),
                    kind: reference.kind,
                    name: reference.name.to_owned(),
                    key: reference.key.map(str::to_owned),
                }));
            }
        }
        if let Some(items) = by_input.last_mut() {
            items.extend(found(&documents, &name, &NoFacts, wanted));
        }
        outcome.report.files.push(name);
    }
    for rendered in &rendering.rendered {
        documents_read += rendered.documents.len();
        let folder = folder_of(&rendered.file);
        for document in &rendered.documents {
            bundle.add(&document.value, &folder);
            for workload in workloads(&document.value) {
                outcome.report.workloads += 1;
                needs.add(&workload, &references(&workload, &workload.containers()));
                if wanted.registry {
                    note_images(&workload, &rendered.file.to_string_lossy(), &mut images);
                }
            }
        }
    }
    ask_registries(&images, &mut bundle, &mut outcome);
    let (seen, notes) = match asked.ask(&needs) {
        Ok(answer) => answer,
        Err(error) => {
            outcome.notes.push(format!("error: {error:#}"));
            outcome.nothing_read = true;
            return outcome;
        }
    };
    outcome.notes.extend(notes);
    // The cluster and the registries may know something about any workload, and so do pods with evidence of kills; there is rarely one among the files.
    let again: BTreeSet<usize> = match &seen {
        Some(_) => places.iter().map(|(number, _)| *number).collect(),
        None if wanted.registry || bundle.has_past_kills() => (0..inputs.len()).collect(),
        None => {
            let mut again = doubtful(&pending, &places, &bundle, &inputs);
            // What is missing in a file may come from the kustomization beside it.
            let found = by_input.iter().zip(&inputs).enumerate().filter(|(_, (items, _))| !items.is_empty());
            again.extend(found.filter(|(_, (_, input))| bundle.from_folder(&folder(input)).is_kustomized()).map(|(number, _)| number));
            again
        }
    };
    for number in again {
        let (Some(input), Some(items)) = (inputs.get(number), by_input.get_mut(number)) else { continue };
        let is_template = matches!(input, Input::File(path) if render::chart_of_template(path).is_some());
        if wanted.render && is_template || rendering.covers(input) {
            continue;
        }
        let Ok(bytes) = load::load(input, &mut standard) else { continue };
        let (documents, _) = read(&bytes);
        let folder = folder(input);
        *items = found_together(&documents, &name(input), bundle.from_folder(&folder), seen.as_ref(), wanted);
    }
    outcome.report.items = by_input.into_iter().flatten().collect();
    for rendered in &rendering.rendered {
        outcome.report.items.extend(found_in_rendered(rendered, &bundle, seen.as_ref(), wanted));
    }
    outcome.report.problems.extend(rendering.problems);
    if !wanted.render {
        outcome.notes.extend(sources.notes());
    }
    if inputs.is_empty() {
        let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        outcome.notes.push(format!("error: no .yaml, .yml or .json file in {}", paths.join(" ")));
    }
    outcome.nothing_read = documents_read == 0 && (inputs.is_empty() || !outcome.report.problems.is_empty());
    outcome.standard = standard;
    outcome
}

/// The findings in one file, in the order of their lines.
fn found(documents: &[Document], name: &str, facts: &dyn Facts, wanted: &Wanted) -> Vec<Item> {
    let mut items = Vec::new();
    for document in documents {
        for workload in workloads(&document.value) {
            let findings = check_with(&workload, facts).into_iter().filter(|finding| wants(wanted, finding));
            items.extend(findings.map(|finding| Item::new(name, document, &workload, finding)));
        }
    }
    items.sort_by_key(|item| item.position);
    items
}

fn wants(wanted: &Wanted, finding: &Finding) -> bool {
    let is = |ids: &[String]| ids.iter().any(|id| id == finding.rule);
    finding.certainty >= wanted.least && (wanted.only.is_empty() || is(&wanted.only)) && !is(&wanted.skip)
}

/// The inputs with a workload that the whole run makes doubtful: by a reference, or by what lies beside it.
fn doubtful(pending: &[Pending], places: &BTreeSet<(usize, Option<String>)>, bundle: &Bundle, inputs: &[Input]) -> BTreeSet<usize> {
    let decided = |(number, namespace): &&(usize, Option<String>)| {
        inputs.get(*number).is_some_and(|input| bundle.decides(&folder(input), namespace.as_deref()))
    };
    let mut doubtful: BTreeSet<usize> = places.iter().filter(decided).map(|(number, _)| *number).collect();
    for reference in pending {
        if doubtful.contains(&reference.input) {
            continue;
        }
        let Some(input) = inputs.get(reference.input) else { continue };
        let folder = folder(input);
        let facts = bundle.from_folder(&folder);
        let namespace = reference.namespace.as_deref();
        let doubt = match facts.object(reference.kind, namespace, &reference.name) {
            Presence::Present => reference
                .key
                .as_ref()
                .is_some_and(|key| matches!(facts.key(reference.kind, namespace, &reference.name, key), Presence::Absent { .. })),
            Presence::Unknown => false,
            Presence::Absent { .. } | Presence::Misspelt { .. } => true,
        };
        if doubt {
            doubtful.insert(reference.input);
        }
    }
    doubtful
}

fn name(input: &Input) -> String {
    match input {
        Input::Standard => "-".to_owned(),
        Input::File(path) | Input::Unreadable(path, _) => path.to_string_lossy().into_owned(),
    }
}

fn folder(input: &Input) -> String {
    match input {
        Input::Standard => "-".to_owned(),
        Input::File(path) | Input::Unreadable(path, _) => folder_of(path),
    }
}

fn folder_of(path: &Path) -> String {
    path.parent().unwrap_or_else(|| Path::new("")).to_string_lossy().into_owned()
}

/// What is found with the files of the run around it, and the cluster where it was asked.
fn found_together(documents: &[Document], name: &str, run: Folder<'_>, seen: Option<&Answer>, wanted: &Wanted) -> Vec<Item> {
    match seen {
        Some(Answer { cluster, past }) => found(documents, name, &Combined { run, cluster, past }, wanted),
        None => found(documents, name, &run, wanted),
    }
}

/// The findings in what a source file became: at the source's own line, where the same text stands there once.
fn found_in_rendered(rendered: &Rendered, bundle: &Bundle, seen: Option<&Answer>, wanted: &Wanted) -> Vec<Item> {
    let name = rendered.file.to_string_lossy();
    let folder = folder_of(&rendered.file);
    let source = load::load(&Input::File(rendered.file.clone()), &mut None).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let mut items = found_together(&rendered.documents, &name, bundle.from_folder(&folder), seen, wanted);
    for item in &mut items {
        let text = item.excerpt.as_ref().map(|excerpt| excerpt.text.clone()).unwrap_or_default();
        let line = source.as_deref().and_then(|source| line_of(source, &text));
        let column = item.position.map_or(1, |position| position.column);
        item.position = line.map(|line| Position { line, column });
        // The text is the program's; a change of it would change nothing.
        item.edit = None;
        if line.is_none() {
            item.excerpt = None;
        }
    }
    items
}

/// The images that a node would pull, each with the file that names it first.
fn note_images(workload: &Workload<'_>, file: &str, images: &mut BTreeMap<String, String>) {
    for container in workload.containers() {
        let never = container.value.get("imagePullPolicy").and_then(Value::as_str) == Some("Never");
        if let Some(image) = container.image().filter(|image| !never && ImageRef::parse(image).is_ok()) {
            images.entry(image.to_owned()).or_insert_with(|| file.to_owned());
        }
    }
}

/// Asks for the images; what is not answered is a problem in the file that names the image.
fn ask_registries(images: &BTreeMap<String, String>, bundle: &mut Bundle, outcome: &mut Outcome) {
    let names: BTreeSet<String> = images.keys().cloned().collect();
    for (image, answer) in registry::ask(&names) {
        match answer {
            Ok(answer) => bundle.add_image(&image, answer),
            Err(reason) => outcome.report.problems.push(FileProblem {
                file: images.get(&image).cloned().unwrap_or_default(),
                line: None,
                message: format!("whether {} exists is not known: {reason}", podsight_rules::shown(&image, 200)),
            }),
        }
    }
}
