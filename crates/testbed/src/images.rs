//! The images that podsight consists of, and those that the demonstration and the tests run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;

use crate::image::{Content, Image, PAUSE_IMAGE};
use crate::progress::Progress;
use crate::static_programs::{self, StaticPrograms};
use crate::{command, tools};

/// A program that eats memory.
pub const MEMORY_EATER_IMAGE: &str = "podsight.test/memory-eater:1";
/// A shell and what it needs.
pub const BUSYBOX_IMAGE: &str = "podsight.test/busybox:1";

/// podsight's images: name without version, binary, user.
const PODSIGHT: [(&str, &str, &str); 3] =
    [("webhook", "podsight-webhook", "65532:65532"), ("agent", "podsight-agent", "0:0"), ("cli", "podsight", "65532:65532")];

/// OCI archives, ready to be imported.
#[derive(Debug)]
pub struct Images {
    /// podsight's own.
    pub podsight: Vec<PathBuf>,
    /// The testbed's.
    pub testbed: Vec<PathBuf>,
    /// The programs inside.
    pub programs: StaticPrograms,
}

impl Images {
    /// All archives.
    pub fn all(&self) -> Vec<PathBuf> {
        self.testbed.iter().chain(&self.podsight).cloned().collect()
    }
}

/// Builds the programs and writes all archives to `target/images/`.
pub fn build(progress: &Progress) -> Result<Images> {
    let programs = static_programs::build(progress)?;
    progress.step("write the images");
    let folder = folder()?;
    let podsight = PODSIGHT.map(|image| podsight_image(image, &programs.podsight(image.1)));
    let testbed = testbed_images(&programs)?;
    Ok(Images { podsight: write(&podsight, &folder)?, testbed: write(&testbed, &folder)?, programs })
}

/// Builds podsight's own images alone.
pub fn build_podsight(progress: &Progress) -> Result<Vec<PathBuf>> {
    let programs = static_programs::build_podsight(progress)?;
    progress.step("write the images");
    write(&PODSIGHT.map(|image| podsight_image(image, &programs.join(image.1))), &folder()?)
}

fn podsight_image((name, binary, user): (&str, &str, &'static str), program: &Path) -> Image {
    let version = env!("CARGO_PKG_VERSION");
    Image {
        name: format!("docker.io/podsight/{name}:{version}"),
        entrypoint: vec![format!("/{binary}")],
        user,
        files: vec![(format!("/{binary}"), Content::Program(program.to_owned()))],
        labels: json!({
            "org.opencontainers.image.title": binary,
            "org.opencontainers.image.version": version,
            "org.opencontainers.image.licenses": env!("CARGO_PKG_LICENSE"),
        }),
    }
}

fn testbed_images(programs: &StaticPrograms) -> Result<[Image; 3]> {
    let busybox = busybox()?;
    let pause = vec![("/pause".to_owned(), Content::Program(programs.testbed("pause")))];
    let eater = shell(&busybox)?.into_iter().chain([("/memory-eater".to_owned(), Content::Program(programs.testbed("memory-eater")))]);
    Ok([
        testbed_image(PAUSE_IMAGE, &["/pause"], pause),
        testbed_image(BUSYBOX_IMAGE, &[], shell(&busybox)?),
        testbed_image(MEMORY_EATER_IMAGE, &["/memory-eater"], eater.collect()),
    ])
}

fn testbed_image(name: &str, entrypoint: &[&str], files: Vec<(String, Content)>) -> Image {
    let entrypoint = entrypoint.iter().map(|&word| word.to_owned()).collect();
    Image { name: name.to_owned(), entrypoint, user: "0:0", files, labels: json!({}) }
}

fn shell(busybox: &Path) -> Result<Vec<(String, Content)>> {
    let mut files = vec![("/bin/busybox".to_owned(), Content::Program(busybox.to_owned())), ("/tmp".to_owned(), Content::Folder)];
    for applet in command::run(Command::new(busybox).arg("--list"))?.lines().filter(|&applet| applet != "busybox") {
        files.push((format!("/bin/{applet}"), Content::Link("busybox")));
    }
    Ok(files)
}

fn busybox() -> Result<PathBuf> {
    tools::BUSYBOX.require()?.canonicalize().context("find busybox")
}

fn write(images: &[Image], folder: &Path) -> Result<Vec<PathBuf>> {
    images
        .iter()
        .map(|image| {
            let file = image.name.rsplit('/').next().unwrap_or_default().replace(':', "-");
            let target = folder.join(format!("{file}.tar"));
            image.write(&target)?;
            Ok(target)
        })
        .collect()
}

fn folder() -> Result<PathBuf> {
    let folder = static_programs::target_folder()?.join("images");
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    Ok(folder)
}
