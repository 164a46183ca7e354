//! One run over all inputs.

use super::cluster;
use super::files::{self, Input};
use podsight_cluster::Combined;
use podsight_report::{FileProblem, Item, Report};
use podsight_rules::{Bundle, Certainty, Facts, Finding, NoFacts, Presence, RefKind, check_with, references};
use podsight_spec::{Document, read, workloads};
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Larger files are no manifests: the API server takes 3 MiB for one object.
const LARGEST: u64 = 32 << 20;

/// Which findings are wanted.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// The least certainty.
    pub(crate) least: Certainty,
    /// Only these rules, if any.
    pub(crate) only: Vec<String>,
    /// All but these.
    pub(crate) skip: Vec<String>,
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
    for (number, input) in inputs.iter().enumerate() {
        let name = name(input);
        by_input.push(Vec::new());
        let bytes = match load(input, &mut standard) {
            Ok(bytes) => bytes,
            Err(message) => {
                outcome.report.problems.push(FileProblem { file: name, line: None, message });
                continue;
            }
        };
        let (documents, problems) = read(&bytes);
        documents_read += documents.len();
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
    let (seen, notes) = match asked.ask(&needs) {
        Ok(answer) => answer,
        Err(error) => {
            outcome.notes.push(format!("error: {error:#}"));
            outcome.nothing_read = true;
            return outcome;
        }
    };
    outcome.notes.extend(notes);
    // The cluster may know something about any workload, and so do pods with evidence of kills; there is rarely one among the files.
    let again: BTreeSet<usize> = match &seen {
        Some(_) => places.iter().map(|(number, _)| *number).collect(),
        None if bundle.has_past_kills() => (0..inputs.len()).collect(),
        None => doubtful(&pending, &places, &bundle, &inputs),
    };
    for number in again {
        let (Some(input), Some(items)) = (inputs.get(number), by_input.get_mut(number)) else { continue };
        let Ok(bytes) = load(input, &mut standard) else { continue };
        let (documents, _) = read(&bytes);
        let folder = folder(input);
        let run = bundle.from_folder(&folder);
        *items = match &seen {
            Some(cluster) => found(&documents, &name(input), &Combined { run, cluster }, wanted),
            None => found(&documents, &name(input), &run, wanted),
        };
    }
    outcome.report.items = by_input.into_iter().flatten().collect();
    if inputs.is_empty() {
        let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        outcome.notes.push(format!("error: no .yaml, .yml or .json file in {}", paths.join(" ")));
    }
    outcome.nothing_read = documents_read == 0 && (inputs.is_empty() || !outcome.report.problems.is_empty());
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
        Input::File(path) | Input::Unreadable(path, _) => path.parent().unwrap_or_else(|| Path::new("")).to_string_lossy().into_owned(),
    }
}

/// The bytes of an input; standard input is kept, since it can be read only once.
fn load(input: &Input, standard: &mut Option<Vec<u8>>) -> Result<Vec<u8>, String> {
    let too_large = || format!("this is larger than {} MiB: no manifest", LARGEST >> 20);
    match input {
        Input::Standard => {
            if let Some(bytes) = standard {
                return Ok(bytes.clone());
            }
            let mut bytes = Vec::new();
            std::io::stdin()
                .lock()
                .take(LARGEST + 1)
                .read_to_end(&mut bytes)
                .map_err(|error| format!("cannot be read: {}", files::reason(&error)))?;
            if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST {
                return Err(too_large());
            }
            *standard = Some(bytes.clone());
            Ok(bytes)
        }
        Input::File(path) => {
            let file = std::fs::File::open(path).map_err(|error| format!("cannot be opened: {}", files::reason(&error)))?;
            let mut bytes = Vec::new();
            file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {}", files::reason(&error)))?;
            if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST {
                return Err(too_large());
            }
            Ok(bytes)
        }
        Input::Unreadable(_, reason) => Err(format!("cannot be opened: {reason}")),
    }
}
