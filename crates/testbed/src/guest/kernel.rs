//! Debian's kernel, and the initramfs that leads from it to the disk.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::progress::Progress;
use crate::{command, folders, tools};

/// Names of the packages that will do, as a regular expression for apt-cache.
const PACKAGES: &str = r"^linux-image-6\.12\..*-cloud-amd64-unsigned$";

/// What a package's file begins with.
const FILES: &str = "linux-image-6.12.";

/// Modules on the way to the disk and the network, and those that pods need.
const MODULES: [&str; 6] = ["virtio_pci", "virtio_blk", "virtio_net", "ext4", "veth", "overlay"];

const INIT: &str = include_str!("../../guest/initramfs.sh");

/// A kernel ready to boot; kept in the user's cache.
#[derive(Debug)]
pub(super) struct Kernel {
    pub(super) image: PathBuf,
    pub(super) initramfs: PathBuf,
}

impl Kernel {
    /// The kernel of the cache; otherwise downloads and unpacks Debian's newest.
    pub(super) fn find(progress: &Progress) -> Result<Self> {
        if std::env::consts::ARCH != "x86_64" {
            bail!("the second node is made for x86-64 machines only");
        }
        let _lock = folders::lock_cache(progress)?;
        let cache = folders::cache()?.join("kernels");
        fs::create_dir_all(&cache).with_context(|| format!("create {}", cache.display()))?;
        let package = match packages(&cache)?.pop() {
            Some(kept) => kept,
            None => download(&cache, progress)?,
        };
        let folder = package.with_extension("");
        // Another text of the initramfs is another initramfs.
        let ready = folder.join("init");
        if fs::read_to_string(&ready).is_ok_and(|text| text == INIT) {
            return Self::in_folder(&folder);
        }
        progress.step("unpack Debian's kernel for the second node (once)");
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("remove {}", folder.display()))?;
        }
        command::run(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&folder))?;
        make_initramfs(&folder)?;
        fs::write(&ready, INIT).with_context(|| format!("write {}", ready.display()))?;
        Self::in_folder(&folder)
    }

    fn in_folder(folder: &Path) -> Result<Self> {
        let boot = folder.join("boot");
        let image = only_entry(&boot, "vmlinuz-")?;
        Ok(Self { image, initramfs: initramfs(folder) })
    }
}

fn initramfs(folder: &Path) -> PathBuf {
    folder.join("initramfs.cpio")
}

/// Packages in the cache, oldest version first.
fn packages(cache: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(cache).with_context(|| format!("list {}", cache.display()))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(FILES)))
        .collect();
    found.sort_by_key(|path| numbers(&path.to_string_lossy()));
    Ok(found)
}

fn download(cache: &Path, progress: &Progress) -> Result<PathBuf> {
    for program in ["apt-cache", "apt-get"] {
        tools::Tool { program, source: tools::Source::Words("Debian's kernel comes by apt") }.require()?;
    }
    let known = command::run(Command::new("apt-cache").args(["search", "--names-only", PACKAGES]))?;
    let mut names: Vec<&str> = known.lines().filter_map(|line| line.split(' ').next()).collect();
    names.sort_by_key(|name| numbers(name));
    let Some(name) = names.last() else {
        bail!("apt knows no package {PACKAGES}: it comes from Debian 13, or from Debian 12 with backports, after apt-get update");
    };
    progress.step(&format!("download {name} (once)"));
    // Where the file is complete it gets its name: a broken download is never taken for a kernel.
    let draft = cache.join(format!("draft.{}", std::process::id()));
    fs::create_dir_all(&draft).with_context(|| format!("create {}", draft.display()))?;
    command::run(Command::new("apt-get").current_dir(&draft).args(["download", "--quiet", name]))?;
    let file = packages(&draft)?.pop().with_context(|| format!("apt-get download {name} left no package"))?;
    let kept = cache.join(file.file_name().context("a package's file has a name")?);
    fs::rename(&file, &kept).with_context(|| format!("keep {}", kept.display()))?;
    fs::remove_dir_all(&draft).with_context(|| format!("remove {}", draft.display()))?;
    Ok(kept)
}

/// The numbers in a version, so that 6.12.9 comes before 6.12.10.
fn numbers(text: &str) -> Vec<u64> {
    text.split(|character: char| !character.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

/// busybox and the modules, loaded before anything else can be.
fn make_initramfs(folder: &Path) -> Result<()> {
    // usr/ where the distribution has merged the two.
    let library = ["lib/modules", "usr/lib/modules"].map(|path| folder.join(path)).into_iter().find(|path| path.is_dir());
    let modules = only_entry(&library.context("the kernel's package holds no modules")?, "")?;
    let version = modules.file_name().context("the modules' folder has a name")?.to_string_lossy().into_owned();
    let base = if modules.starts_with(folder.join("usr")) { folder.join("usr") } else { folder.to_owned() };
    let packed = command::run(Command::new("find").arg(&modules).args(["-name", "*.ko.xz"]))?;
    for chunk in packed.lines().collect::<Vec<_>>().chunks(200) {
        command::run(Command::new("xz").arg("-d").args(chunk))?;
    }
    command::run(tool("depmod")?.arg("-b").arg(&base).arg(&version))?;

    let root = folder.join("initramfs");
    for inside in ["bin", "proc", "sys", "dev", "newroot"] {
        fs::create_dir_all(root.join(inside)).context("create the initramfs")?;
    }
    copy(&tools::static_busybox()?, &root.join("bin/busybox"))?;
    let target = root.join("lib/modules").join(&version);
    for file in needed_modules(&base, &version)? {
        let inside = file.strip_prefix(&modules).context("a module lies outside of the kernel's folder")?.to_owned();
        copy(&file, &target.join(inside))?;
    }
    for list in ["modules.order", "modules.builtin", "modules.builtin.modinfo"] {
        copy(&modules.join(list), &target.join(list))?;
    }
    command::run(tool("depmod")?.arg("-b").arg(&root).arg(&version))?;
    let init = root.join("init");
    fs::write(&init, INIT).context("write the initramfs' init")?;
    fs::set_permissions(&init, fs::Permissions::from_mode(0o755)).context("make the initramfs' init executable")?;
    let script = r#"find . | cpio -o -H newc --quiet >"$0""#;
    command::run(Command::new("sh").current_dir(&root).args(["-e", "-c", script]).arg(initramfs(folder)))?;
    Ok(())
}

fn needed_modules(base: &Path, version: &str) -> Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    for module in MODULES {
        let mut command = tool("modprobe")?;
        command.arg("-d").arg(base).args(["-S", version, "--show-depends", module]);
        // What is built in has no file.
        let shown = command::output(&mut command)?.stdout;
        files.extend(shown.lines().filter_map(|line| line.strip_prefix("insmod ")).map(|path| PathBuf::from(path.trim())));
    }
    Ok(files)
}

fn tool(program: &str) -> Result<Command> {
    let tool =
        tools::GUEST.into_iter().find(|tool| tool.program == program).with_context(|| format!("{program} is no tool of the guest"))?;
    Ok(Command::new(tool.require()?))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().context("a file lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    fs::copy(from, to).with_context(|| format!("copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

fn only_entry(folder: &Path, prefix: &str) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    let mut named = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)));
    named.next().with_context(|| format!("{} holds no {prefix}…", folder.display()))
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
