//! Debian's packages of a kernel, by apt; from a list of sources of its own where this machine's has none.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::guest::choice::Series;
use crate::progress::Progress;
use crate::{command, tools};

/// Signs the lists. Debian keeps the keys of old suites in it.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The packages in `folder`, or nothing if one is missing there.
pub(super) fn kept(series: Series, folder: &Path) -> Result<Option<Vec<PathBuf>>> {
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    let entries = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    let found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .collect();
    Ok((found.len() >= series.packages().len()).then_some(found))
}

/// Downloads the newest packages of the series to `folder`.
pub(super) fn download(series: Series, folder: &Path, progress: &Progress) -> Result<Vec<PathBuf>> {
    for program in ["apt-cache", "apt-get"] {
        tools::Tool { program, source: tools::Source::Words("Debian's kernel comes by apt") }.require()?;
    }
    let mut options = vec![];
    let mut names = newest(series, &options)?;
    if names.is_none() {
        progress.step(&format!("fetch Debian's lists for the kernel {} (once)", series.name()));
        options = own_sources(series, &folder.join("apt"))?;
        command::run(Command::new("apt-get").args(&options).args(["update", "--quiet"]))?;
        names = newest(series, &options)?;
    }
    let Some(names) = names else { bail!("apt knows no packages {:?}", series.packages()) };
    progress.step(&format!("download {} (once)", names.join(" ")));
    // Where the files are complete they get their place: a broken download is never taken for a kernel.
    let draft = folder.join(format!("draft.{}", std::process::id()));
    fs::create_dir_all(&draft).with_context(|| format!("create {}", draft.display()))?;
    command::run(Command::new("apt-get").current_dir(&draft).args(&options).args(["download", "--quiet"]).args(&names))?;
    let files = kept(series, &draft)?.with_context(|| format!("apt-get download {} left no package", names.join(" ")))?;
    let mut packages = vec![];
    for file in files {
        let target = folder.join(file.file_name().context("a package's file has a name")?);
        fs::rename(&file, &target).with_context(|| format!("keep {}", target.display()))?;
        packages.push(target);
    }
    fs::remove_dir_all(&draft).with_context(|| format!("remove {}", draft.display()))?;
    Ok(packages)
}

/// The newest package of each name, if there is one of each.
fn newest(series: Series, options: &[String]) -> Result<Option<Vec<String>>> {
    let of = |pattern: &&str| {
        let known = command::run(Command::new("apt-cache").args(options).args(["search", "--names-only", pattern]))?;
        let mut names: Vec<&str> = known.lines().filter_map(|line| line.split(' ').next()).collect();
        names.sort_by_key(|name| numbers(name));
        Ok(names.last().map(|&name| name.to_owned()))
    };
    let names: Result<Vec<Option<String>>> = series.packages().iter().map(of).collect();
    Ok(names?.into_iter().collect())
}

/// Options with which apt leaves this machine's lists alone.
fn own_sources(series: Series, folder: &Path) -> Result<Vec<String>> {
    for inside in ["lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(folder.join(inside)).with_context(|| format!("create {}", folder.display()))?;
    }
    let list = folder.join("sources.list");
    let line = |(archive, suite): &(&str, &str)| format!("deb [signed-by={KEYRING}] http://deb.debian.org/{archive} {suite} main\n");
    fs::write(&list, series.suites().iter().map(line).collect::<Vec<_>>().concat()).with_context(|| format!("write {}", list.display()))?;
    let options = [
        format!("Dir::Etc::sourcelist={}", list.display()),
        "Dir::Etc::sourceparts=-".to_owned(),
        format!("Dir::State::lists={}", folder.join("lists").display()),
        format!("Dir::Cache={}", folder.join("cache").display()),
        "Acquire::Languages=none".to_owned(),
    ];
    Ok(options.into_iter().flat_map(|option| ["-o".to_owned(), option]).collect())
}

/// The numbers in a version, so that 6.12.9 comes before 6.12.10.
fn numbers(text: &str) -> Vec<u64> {
    text.split(|character: char| !character.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_number() {
        let mut names = ["linux-image-6.12.10-cloud", "linux-image-6.12.9-cloud"];
        names.sort_by_key(|name| numbers(name));
        assert_eq!(names, ["linux-image-6.12.9-cloud", "linux-image-6.12.10-cloud"]);
    }
}
