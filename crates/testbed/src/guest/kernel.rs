//! Debian's kernel, and the initramfs that leads from it to the disk.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::guest::choice::Series;
use crate::guest::packages;
use crate::progress::Progress;
use crate::{command, folders, tools};

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
    /// The kernel of the cache; otherwise downloads and unpacks Debian's newest of the series.
    pub(super) fn find(series: Series, progress: &Progress) -> Result<Self> {
        if std::env::consts::ARCH != "x86_64" {
            bail!("the second node is made for x86-64 machines only");
        }
        let _lock = folders::lock_cache(progress)?;
        let cache = folders::cache()?.join("kernels").join(series.name());
        let packages = match packages::kept(series, &cache)? {
            Some(kept) => kept,
            None => packages::download(series, &cache, progress)?,
        };
        let folder = cache.join("unpacked");
        // Another text of the initramfs is another initramfs.
        let ready = folder.join("init");
        if fs::read_to_string(&ready).is_ok_and(|text| text == INIT) {
            return Self::in_folder(&folder);
        }
        progress.step(&format!("unpack Debian's kernel {} for a node (once)", series.name()));
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("remove {}", folder.display()))?;
        }
        for package in &packages {
            command::run(Command::new("dpkg-deb").arg("-x").arg(package).arg(&folder))?;
        }
        make_initramfs(&folder)?;
        fs::write(&ready, INIT).with_context(|| format!("write {}", ready.display()))?;
        Self::in_folder(&folder)
    }

    fn in_folder(folder: &Path) -> Result<Self> {
        // Beside its modules, where it is a package of its own.
        let image = only_entry(&folder.join("boot"), "vmlinuz-").or_else(|_| only_entry(&modules(folder)?, "vmlinuz"))?;
        Ok(Self { image, initramfs: initramfs(folder) })
    }
}

fn initramfs(folder: &Path) -> PathBuf {
    folder.join("initramfs.cpio")
}

/// The folder of the kernel's modules, named after its release.
fn modules(folder: &Path) -> Result<PathBuf> {
    // usr/ where the distribution has merged the two.
    let library = ["lib/modules", "usr/lib/modules"].map(|path| folder.join(path)).into_iter().find(|path| path.is_dir());
    only_entry(&library.context("the kernel's packages hold no modules")?, "")
}

/// busybox and the modules, loaded before anything else can be.
fn make_initramfs(folder: &Path) -> Result<()> {
    let modules = modules(folder)?;
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
