//! The images that podsight consists of, and those that the demonstration and the tests run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;

use crate::image::{self, Content, Image, PAUSE_IMAGE};
use crate::progress::Progress;
use crate::static_programs::{self, StaticPrograms};
use crate::{command, tools};

/// A program that eats memory.
pub const MEMORY_EATER_IMAGE: &str = "podsight.test/memory-eater:1";
/// A shell and what it needs.
pub const BUSYBOX_IMAGE: &str = "podsight.test/busybox:1";
/// The same under the name and with the command of the official image, which rules know.
pub const OFFICIAL_BUSYBOX_IMAGE: &str = "docker.io/library/busybox:1.36";

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// podsight's images, as the Dockerfile has them: name without version, binary, user, description.
const PODSIGHT: [(&str, &str, &str, &str); 3] = [
    ("webhook", "podsight-webhook", "65532:65532", "Warns at kubectl apply about pods that will fail"),
    ("agent", "podsight-agent", "0:0", "Writes kernel-confirmed OOM kills on the pods that they hit"),
    ("cli", "podsight", "65532:65532", "Checks manifests, reads kernel logs and explains failed pods"),
];

/// OCI archives, ready to be imported.
#[derive(Debug)]
pub struct Images {
    /// All that pods of this machine need.
    pub machine: PathBuf,
    /// All that pods of the guest need: importing is slow there.
    pub guest: PathBuf,
    /// The programs inside.
    pub programs: StaticPrograms,
}

/// Builds the programs and writes the nodes' archives to `folder`.
pub fn build(folder: &Path, progress: &Progress) -> Result<Images> {
    let programs = static_programs::build(progress)?;
    progress.step("write the images");
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    let images = Images { machine: folder.join("machine.tar"), guest: folder.join("guest.tar"), programs };
    let testbed = testbed_images(&images.programs)?;
    let podsight = PODSIGHT.map(|image| podsight_image(image, &images.programs.podsight(image.1)));
    image::write(testbed.iter().chain(&podsight), &images.machine)?;
    image::write(testbed.iter().chain(podsight.iter().filter(|image| image.name.contains("/agent:"))), &images.guest)?;
    Ok(images)
}

/// Builds podsight's programs and writes an archive for each image to `target/images/`.
pub fn build_podsight(progress: &Progress) -> Result<Vec<PathBuf>> {
    let programs = static_programs::build_podsight(progress)?;
    progress.step("write the images");
    write_podsight(&programs, &static_programs::target_folder()?.join("images"))
}

/// Writes an archive for each image of podsight, from the folder of its programs.
pub fn write_podsight(programs: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    PODSIGHT
        .map(|image| {
            let target = folder.join(format!("{}-{VERSION}.tar", image.1));
            image::write(&[podsight_image(image, &programs.join(image.1))], &target)?;
            Ok(target)
        })
        .into_iter()
        .collect()
}

/// What images call this machine's processor.
pub fn architecture() -> &'static str {
    image::architecture()
}

fn podsight_image((name, binary, user, description): (&str, &str, &'static str, &str), program: &Path) -> Image {
    Image {
        name: format!("docker.io/podsight/{name}:{VERSION}"),
        entrypoint: vec![format!("/{binary}")],
        command: &[],
        user,
        files: vec![(format!("/{binary}"), Content::Program(program.to_owned()))],
        labels: json!({
            "org.opencontainers.image.title": binary,
            "org.opencontainers.image.description": description,
            "org.opencontainers.image.version": VERSION,
            "org.opencontainers.image.licenses": env!("CARGO_PKG_LICENSE"),
        }),
    }
}

fn testbed_images(programs: &StaticPrograms) -> Result<[Image; 4]> {
    let busybox = tools::static_busybox()?;
    let pause = vec![("/pause".to_owned(), Content::Program(programs.testbed("pause")))];
    let eater = shell(&busybox)?.into_iter().chain([("/memory-eater".to_owned(), Content::Program(programs.testbed("memory-eater")))]);
    Ok([
        testbed_image(PAUSE_IMAGE, &["/pause"], pause),
        testbed_image(BUSYBOX_IMAGE, &[], shell(&busybox)?),
        Image { command: &["sh"], ..testbed_image(OFFICIAL_BUSYBOX_IMAGE, &[], shell(&busybox)?) },
        testbed_image(MEMORY_EATER_IMAGE, &["/memory-eater"], eater.collect()),
    ])
}

fn testbed_image(name: &str, entrypoint: &[&str], files: Vec<(String, Content)>) -> Image {
    let entrypoint = entrypoint.iter().map(|&word| word.to_owned()).collect();
    Image { name: name.to_owned(), entrypoint, command: &[], user: "0:0", files, labels: json!({}) }
}

fn shell(busybox: &Path) -> Result<Vec<(String, Content)>> {
    let mut files = vec![("/bin/busybox".to_owned(), Content::Program(busybox.to_owned())), ("/tmp".to_owned(), Content::Folder)];
    for applet in command::run(Command::new(busybox).arg("--list"))?.lines().filter(|&applet| applet != "busybox") {
        files.push((format!("/bin/{applet}"), Content::Link("busybox")));
    }
    Ok(files)
}
