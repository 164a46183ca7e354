//! `cargo xtask dist`: everything that a release consists of, in one folder, the same bytes each time.

mod archive;
mod krew;
mod sbom;

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use podsight_testbed::progress::Progress;
use podsight_testbed::{build, command, folders, images, static_programs};
use sha2::{Digest as _, Sha256};

use archive::{Archive, Entry};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A place that cannot exist (RFC 2606), so that nobody takes it for a real one.
const NOWHERE: &str = "https://podsight.invalid";

/// Shells with a completion script, and what the script is called.
const SHELLS: [(&str, &str); 4] =
    [("bash", "podsight.bash"), ("zsh", "_podsight"), ("fish", "podsight.fish"), ("powershell", "podsight.ps1")];

/// What is rendered for those who want plain manifests.
const OVERLAYS: [(&str, &str); 4] = [
    ("base", "podsight"),
    ("overlays/cert-manager", "podsight-cert-manager"),
    ("overlays/kmsg", "podsight-kmsg"),
    ("overlays/openshift", "podsight-openshift"),
];

/// What the command line gives.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder; what is in it is replaced
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Where the files can be had afterwards, for krew's manifest: the address of the folder
    #[arg(long, value_name = "URL", default_value = NOWHERE)]
    place: String,
    /// podsight's home page, for krew's manifest
    #[arg(long, value_name = "URL", default_value = NOWHERE)]
    homepage: String,
    /// Make everything a second time from nothing and compare: the bytes must be the same
    #[arg(long)]
    verify: bool,
}

/// Makes the release.
pub(crate) fn run(args: &Args) -> Result<()> {
    let progress = Progress::default();
    let target = static_programs::target_folder()?;
    let out = args.out.clone().unwrap_or_else(|| target.join("dist"));
    let programs = static_programs::build_podsight(&progress)?;
    make(args, &programs, &out, &progress)?;
    let sums = fs::read_to_string(out.join("SHA256SUMS")).context("read the sums")?;
    if args.verify {
        let again = tempfile::tempdir_in(&target).context("make a folder for the second build")?;
        let programs = static_programs::build_podsight_in(again.path(), &progress)?;
        let second = again.path().join("dist");
        make(args, &programs, &second, &progress)?;
        let other = fs::read_to_string(second.join("SHA256SUMS")).context("read the second sums")?;
        let differ: Vec<&str> = sums.lines().filter(|line| !other.lines().any(|other| other == *line)).collect();
        if !differ.is_empty() || sums.len() != other.len() {
            bail!("two builds differ in\n{}", differ.join("\n"));
        }
    }
    progress.done();
    let mut said = std::io::stdout().lock();
    write!(said, "{sums}")?;
    if args.verify {
        writeln!(said, "Two builds gave the same bytes.")?;
    }
    if args.place == NOWHERE {
        writeln!(said, "krew/podsight.yaml names no real place: give --place and --homepage.")?;
    }
    writeln!(said, "{}", out.display())?;
    Ok(())
}

fn make(args: &Args, programs: &Path, out: &Path, progress: &Progress) -> Result<()> {
    progress.step("put the release together");
    if out.exists() {
        fs::remove_dir_all(out).with_context(|| format!("empty {}", out.display()))?;
    }
    fs::create_dir_all(out).with_context(|| format!("create {}", out.display()))?;
    let repository = folders::repository()?;
    let podsight = programs.join("podsight");
    let own = |arguments: &[&str]| command::run(Command::new(&podsight).args(arguments).env_clear());

    let mut completions = vec![];
    for (shell, name) in SHELLS {
        completions.push((format!("completions/{name}"), own(&["completions", shell])?.into_bytes()));
    }
    let mut pages = vec![];
    for (name, page) in manual(&podsight)? {
        pages.push((format!("man/{name}"), page));
    }
    for (path, bytes) in completions.iter().chain(&pages) {
        keep(out, path, bytes)?;
    }

    let platform = format!("linux-{}", images::architecture());
    let archive = format!("podsight-{VERSION}-{platform}.tar.gz");
    let mut entries = vec![Entry::program("podsight", &podsight)?, Entry::file("LICENSE", &repository.join("LICENSE"))?];
    entries.extend(completions.into_iter().chain(pages).map(|(path, bytes)| Entry { path, mode: 0o644, bytes }));
    let bytes = Archive(entries).write()?;
    keep(out, &archive, &bytes)?;
    for program in ["podsight-webhook", "podsight-agent"] {
        let bytes = Archive(vec![Entry::program(program, &programs.join(program))?, Entry::file("LICENSE", &repository.join("LICENSE"))?])
            .write()?;
        keep(out, &format!("{program}-{VERSION}-{platform}.tar.gz"), &bytes)?;
    }
    for image in images::write_podsight(programs, &out.join("images"))? {
        let file = image.file_name().context("an image without a name")?;
        progress.step(&format!("wrote {}", Path::new(file).display()));
    }
    keep(out, &format!("podsight-{VERSION}.tgz"), &chart(&repository)?.write()?)?;
    for (folder, name) in OVERLAYS {
        let Some(kubectl) = build::find("kubectl")? else {
            progress.say("kubectl has not been built (cargo xtask up does): no rendered manifests");
            break;
        };
        let text = command::run(Command::new(kubectl).arg("kustomize").arg(repository.join("deploy").join(folder)))?;
        keep(out, &format!("manifests/{name}.yaml"), text.as_bytes())?;
    }
    for binary in ["podsight", "podsight-webhook", "podsight-agent"] {
        keep(out, &format!("sbom/{binary}.cdx.json"), sbom::write(binary, &programs.join(binary))?.as_bytes())?;
    }
    let template = fs::read_to_string(repository.join("deploy/krew/podsight.yaml")).context("read krew's template")?;
    let release = krew::Release { version: VERSION, homepage: &args.homepage, place: &args.place, archive: &archive, sha256: &sum(&bytes) };
    keep(out, "krew/podsight.yaml", krew::manifest(&template, &release)?.as_bytes())?;
    keep(out, "SHA256SUMS", sums(out)?.as_bytes())
}

/// The chart as `helm package` makes it, without the time and the user.
fn chart(repository: &Path) -> Result<Archive> {
    let chart = repository.join("deploy/helm/podsight");
    let ignored = |path: &str| {
        path.starts_with("ci/") || path == ".helmignore" || path.ends_with("kustomization.yaml") || path.ends_with(".test.yaml")
    };
    let mut files = vec![];
    list(&chart, &chart, &mut files)?;
    let mut entries = vec![];
    for path in files.into_iter().filter(|path| !ignored(path)) {
        entries.push(Entry::file(&format!("podsight/{path}"), &chart.join(&path))?);
    }
    Ok(Archive(entries))
}

/// The files below a folder, relative to `root`, links followed.
fn list(root: &Path, folder: &Path, into: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            list(root, &path, into)?;
        } else {
            into.push(path.strip_prefix(root)?.to_str().context("a file name is not UTF-8")?.to_owned());
        }
    }
    into.sort();
    Ok(())
}

/// The manual's pages of the command line.
fn manual(podsight: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let folder = tempfile::tempdir().context("make a folder for the manual")?;
    command::run(Command::new(podsight).arg("manual").arg(folder.path()).env_clear())?;
    let mut names = vec![];
    list(folder.path(), folder.path(), &mut names)?;
    names.into_iter().map(|name| Ok((name.clone(), fs::read(folder.path().join(&name)).with_context(|| format!("read {name}"))?))).collect()
}

fn keep(out: &Path, path: &str, bytes: &[u8]) -> Result<()> {
    let file = out.join(path);
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    }
    fs::write(&file, bytes).with_context(|| format!("write {}", file.display()))
}

/// One line a file, as `sha256sum --check` reads it.
fn sums(out: &Path) -> Result<String> {
    let mut files = vec![];
    list(out, out, &mut files)?;
    let line = |path: String| -> Result<String> {
        let bytes = fs::read(out.join(&path)).with_context(|| format!("read {path}"))?;
        Ok(format!("{}  {path}\n", sum(&bytes)))
    };
    files.into_iter().map(line).collect()
}

fn sum(bytes: &[u8]) -> String {
    folders::hex(&Sha256::digest(bytes))
}
