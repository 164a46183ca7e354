//! The programs inside the images: podsight's own and the testbed's, each one static file.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::folders;
use crate::progress::Progress;
use crate::{command, tools};

/// podsight's programs: package, binary.
const PODSIGHT: [(&str, &str); 3] =
    [("podsight-webhook", "podsight-webhook"), ("podsight-agent", "podsight-agent"), ("podsight-cli", "podsight")];

/// The testbed's programs in `src/bin`.
const TESTBED: [&str; 3] = ["pause", "memory-eater", "forward"];

const STATIC: &str = "-Ctarget-feature=+crt-static";

/// Where they are.
#[derive(Debug)]
pub struct StaticPrograms {
    podsight: PathBuf,
    testbed: PathBuf,
}

impl StaticPrograms {
    /// The file of one of podsight's programs.
    pub fn podsight(&self, binary: &str) -> PathBuf {
        self.podsight.join(binary)
    }

    /// The folder of podsight's programs.
    pub fn podsight_folder(&self) -> PathBuf {
        self.podsight.clone()
    }

    /// The file of one of the testbed's programs.
    pub fn testbed(&self, program: &str) -> PathBuf {
        self.testbed.join(program)
    }
}

/// Cargo's target folder.
pub fn target_folder() -> Result<PathBuf> {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(given) => std::path::absolute(given).context("find the target folder"),
        None => Ok(folders::repository()?.join("target")),
    }
}

/// Builds podsight's programs with the profile `image`, or the one that `PODSIGHT_PROFILE` names: `dev` for quick turns.
pub fn build_podsight(progress: &Progress) -> Result<PathBuf> {
    build_podsight_in(&target_folder()?, progress)
}

/// The same in another target folder.
pub fn build_podsight_in(target: &Path, progress: &Progress) -> Result<PathBuf> {
    tools::C_COMPILER.require()?;
    let profile = env::var("PODSIGHT_PROFILE").unwrap_or_else(|_| "image".to_owned());
    progress.step(&format!("build podsight's static programs (profile {profile})"));
    let triple = triple();
    let mut command = command::cargo();
    command.current_dir(folders::repository()?).args(["build", "--locked", "--profile", &profile, "--target", &triple]);
    command.arg("--target-dir").arg(target);
    for (package, binary) in PODSIGHT {
        command.args(["--package", package, "--bin", binary]);
    }
    // With --target these flags reach no build script and no procedural macro, which cannot be static.
    let flags = if profile == "image" { format!("{STATIC} {}", without_places(target)?) } else { STATIC.to_owned() };
    command.env("RUSTFLAGS", flags);
    command::run(&mut command)?;
    let folder = if profile == "dev" { "debug" } else { &profile };
    Ok(target.join(triple).join(folder))
}

/// Builds all of them.
pub fn build(progress: &Progress) -> Result<StaticPrograms> {
    let podsight = build_podsight(progress)?;
    let testbed = target_folder()?.join("testbed-programs");
    fs::create_dir_all(&testbed).with_context(|| format!("create {}", testbed.display()))?;
    for program in TESTBED {
        compile(program, &testbed)?;
    }
    Ok(StaticPrograms { podsight, testbed })
}

fn compile(program: &str, folder: &Path) -> Result<()> {
    let source = Path::new("crates/testbed/src/bin").join(format!("{}.rs", program.replace('-', "_")));
    let repository = folders::repository()?;
    let target = folder.join(program);
    let written = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    if written(&target).is_some_and(|target| written(&repository.join(&source)).is_some_and(|source| target > source)) {
        return Ok(());
    }
    let mut command = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    command.current_dir(repository).args(["--edition=2024", "-Copt-level=s", "-Cpanic=abort", "-Cstrip=symbols", STATIC]);
    command.arg(format!("--target={}", triple())).arg("-o").arg(&target).arg(&source);
    command::run(&mut command)?;
    Ok(())
}

/// Flags that keep this machine's folders out of the programs, so that they are the same wherever they are built.
fn without_places(target: &Path) -> Result<String> {
    let mut places = vec![(folders::repository()?, "/podsight"), (target.to_owned(), "/podsight/target")];
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    places.push((env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from), "/cargo"));
    // The last that matches is taken.
    let flags = places.iter().map(|(place, name)| format!("--remap-path-prefix={}={name}", place.display()));
    Ok(flags.collect::<Vec<_>>().join(" "))
}

/// What rustc calls this machine.
pub fn triple() -> String {
    format!("{}-unknown-linux-gnu", env::consts::ARCH)
}
