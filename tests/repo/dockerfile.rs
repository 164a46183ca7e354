//! What the Dockerfile must hold. No engine runs here; `cargo xtask image` builds the same images for the test nodes.

use crate::repository;
use anyhow::{Context as _, Result, ensure};
use podsight_testbed::static_programs;
use podsight_tests::skipped;

/// The instructions, continuation lines joined, comments left out.
fn instructions() -> Result<Vec<String>> {
    let text = repository::read("Dockerfile")?;
    let code: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let joined = code.join("\n").replace("\\\n", " ");
    Ok(joined.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|line| !line.is_empty()).collect())
}

/// The instructions of one stage, without its first line.
fn stage(name: &str) -> Result<Vec<String>> {
    let instructions = instructions()?;
    let head = format!("FROM scratch AS {name}");
    let start = instructions.iter().position(|line| *line == head).with_context(|| format!("no `{head}`"))?;
    Ok(instructions.into_iter().skip(start + 1).take_while(|line| !line.starts_with("FROM ")).collect())
}

#[test]
fn each_image_is_one_binary_run_by_a_numeric_user() -> Result<()> {
    for (name, binary, user) in
        [("webhook", "podsight-webhook", "65532:65532"), ("agent", "podsight-agent", "0:0"), ("cli", "podsight", "65532:65532")]
    {
        let lines: Vec<String> = stage(name)?.into_iter().filter(|line| !line.starts_with("EXPOSE ")).collect();
        let [label, copy, user_line, entrypoint] = lines.as_slice() else {
            anyhow::bail!("{name}: {lines:#?}");
        };
        let version = env!("CARGO_PKG_VERSION");
        assert!(label.contains(&format!("org.opencontainers.image.title=\"{binary}\"")), "{label}");
        assert!(label.contains(&format!("org.opencontainers.image.version=\"{version}\"")), "{label}");
        assert_eq!(*copy, format!("COPY --from=build /out/{binary} /{binary}"));
        assert_eq!(*user_line, format!("USER {user}"));
        assert_eq!(*entrypoint, format!("ENTRYPOINT [\"/{binary}\"]"));
    }
    Ok(())
}

#[test]
fn the_base_image_is_the_compiler_of_the_toolchain_file() -> Result<()> {
    let toolchain = repository::read("rust-toolchain.toml")?;
    let channel = toolchain.split('"').nth(1).context("no channel in rust-toolchain.toml")?;
    let bases: Vec<String> = instructions()?.into_iter().filter(|line| line.starts_with("ARG RUST=")).collect();
    let [base] = bases.as_slice() else { anyhow::bail!("{bases:?}") };
    let tag = base.strip_prefix("ARG RUST=rust:").context("another image")?;
    let tag = tag.split('@').next().unwrap_or(tag);
    assert_eq!(tag.strip_suffix("-bookworm"), Some(channel));
    Ok(())
}

#[test]
fn the_build_keeps_to_the_lock_file() -> Result<()> {
    let run: Vec<String> = instructions()?.into_iter().filter(|line| line.starts_with("RUN ")).collect();
    assert_eq!(run.len(), 1, "{run:#?}");
    for part in ["cargo build --locked --profile image", "--package podsight-webhook", "--package podsight-agent", "--package podsight-cli"]
    {
        assert!(run.iter().all(|line| line.contains(part)), "{part}");
    }
    Ok(())
}

/// An image's archive, which holds its layers as they are in memory and on disk, and not compressed.
const IMAGE_MAX_BYTES: u64 = 10_000_000;

#[test]
fn each_image_takes_ten_megabytes_at_most() -> Result<()> {
    let folder = static_programs::target_folder()?.join("images");
    for binary in ["podsight-webhook", "podsight-agent", "podsight"] {
        let archive = folder.join(format!("{binary}-{}.tar", env!("CARGO_PKG_VERSION")));
        if !archive.is_file() {
            skipped(&format!("{} has not been made yet: cargo xtask image makes it", archive.display()));
            continue;
        }
        let bytes = archive.metadata().with_context(|| format!("look at {}", archive.display()))?.len();
        ensure!(bytes <= IMAGE_MAX_BYTES, "{} has {bytes} bytes, and may have {IMAGE_MAX_BYTES}", archive.display());
    }
    Ok(())
}
