//! The guest's disk: busybox, the node's programs, images and configuration.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::build::Programs;
use crate::certificates::Files;
use crate::control_plane::ControlPlane;
use crate::guest::NAME;
use crate::images::Images;
use crate::node::containerd::{self, Layout};
use crate::node::{cni, kubelet};
use crate::{command, kubeconfig, tools};

/// Sparse: what is not used takes no place.
const SIZE: &str = "2G";

const INIT: &str = include_str!("../../guest/init.sh");

const PROGRAMS: [&str; 7] = ["kubelet", "containerd", "containerd-shim-runc-v2", "ctr", "ptp", "host-local", "loopback"];

const FOLDERS: [&str; 17] = [
    "bin",
    "dev",
    "etc",
    "opt/bin",
    "opt/certificates",
    "opt/cni",
    "opt/plugins",
    "opt/static-pods",
    "proc",
    "root",
    "run",
    "sys",
    "tmp",
    "var/lib/kubelet",
    "var/log/pods",
    "lib64",
    "usr",
];

/// Makes the disk in `folder` and gives its path.
pub(super) fn make(folder: &Path, programs: &Programs, plane: &ControlPlane, images: &Images) -> Result<PathBuf> {
    let root = folder.join("root");
    for inside in FOLDERS {
        fs::create_dir_all(root.join(inside)).context("create the guest's folders")?;
    }
    put_programs(&root, programs, images)?;
    put_configuration(&root, plane)?;
    put_as(&images.guest, &root.join("opt/images.tar"))?;
    let disk = folder.join("disk.img");
    let mke2fs = tools::Tool { program: "mke2fs", source: tools::Source::Debian("e2fsprogs") }.require()?;
    command::run(Command::new(mke2fs).args(["-q", "-t", "ext4", "-O", "^has_journal", "-d"]).args([&root, &disk]).arg(SIZE))?;
    fs::remove_dir_all(&root).context("remove the guest's unpacked files")?;
    Ok(disk)
}

fn put_programs(root: &Path, programs: &Programs, images: &Images) -> Result<()> {
    let busybox = tools::static_busybox()?;
    put(&busybox, &root.join("bin"))?;
    for applet in command::run(Command::new(&busybox).arg("--list"))?.lines().filter(|&applet| applet != "busybox") {
        symlink("busybox", root.join("bin").join(applet)).context("link busybox")?;
    }
    for program in PROGRAMS {
        put(&programs.path(program), &root.join("opt/bin"))?;
    }
    put(&images.programs.testbed("forward"), &root.join("opt/bin"))?;
    // Debian's runc is linked dynamically.
    let runc = tools::RUNC.require()?;
    put(&runc, &root.join("opt/bin"))?;
    for library in command::run(Command::new("ldd").arg(&runc))?.split_ascii_whitespace().filter(|word| word.starts_with('/')) {
        let target = root.join(library.trim_start_matches('/'));
        put(Path::new(library), target.parent().context("a library lies in a folder")?)?;
    }
    let init = root.join("init");
    fs::write(&init, INIT).context("write the guest's init")?;
    fs::set_permissions(&init, fs::Permissions::from_mode(0o755)).context("make the guest's init executable")
}

fn put_configuration(root: &Path, plane: &ControlPlane) -> Result<()> {
    let client = plane.node_certificate(NAME)?;
    put_as(&plane.authority.certificate_file(), &root.join("opt/certificates/ca.crt"))?;
    put_as(&client.certificate, &root.join("opt/certificates/node.crt"))?;
    put_as(&client.key, &root.join("opt/certificates/node.key"))?;
    // From here on paths are the guest's own.
    let inside = Files { certificate: "/opt/certificates/node.crt".into(), key: "/opt/certificates/node.key".into() };
    let authority = Path::new("/opt/certificates/ca.crt");
    kubeconfig::write(&root.join("opt/kubeconfig"), &plane.server(), authority, &inside)?;
    let settings = kubelet::Settings {
        cgroup_root: None,
        container_runtime: Path::new("/run/containerd/containerd.sock"),
        authority,
        pod_logs: Path::new("/var/log/pods"),
        static_pods: Path::new("/opt/static-pods"),
        plugins: Path::new("/opt/plugins"),
        port: 10250,
        // It would ask every shim every ten seconds.
        evicts: false,
    };
    kubelet::write(&root.join("opt/kubelet.json"), &settings)?;
    let layout = Layout {
        root: Path::new("/var/lib/containerd"),
        state: Path::new("/run/containerd"),
        programs: Path::new("/opt/bin"),
        networks: Path::new("/opt/cni"),
        runc: Path::new("/opt/bin/runc"),
    };
    let texts = [
        ("opt/containerd.toml", containerd::configuration(&layout)),
        ("opt/cni/10-podsight.conflist", cni::configuration("podsight", "10.77.0.0/24", Path::new("/run/addresses"), None)),
        ("etc/hostname", format!("{NAME}\n")),
        ("etc/hosts", "127.0.0.1 localhost\n".to_owned()),
        ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n".to_owned()),
        ("etc/os-release", "PRETTY_NAME=\"podsight test node\"\n".to_owned()),
        ("etc/machine-id", "00000000000000000000706f64736967\n".to_owned()),
    ];
    for (path, text) in texts {
        fs::write(root.join(path), text).with_context(|| format!("write the guest's /{path}"))?;
    }
    Ok(())
}

fn put(file: &Path, folder: &Path) -> Result<()> {
    put_as(file, &folder.join(file.file_name().context("a file has a name")?))
}

/// Links where it can: the disk is made by reading the files once more anyway.
fn put_as(file: &Path, target: &Path) -> Result<()> {
    let file = file.canonicalize().with_context(|| format!("find {}", file.display()))?;
    let folder = target.parent().context("a file lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    if fs::hard_link(&file, target).is_err() {
        fs::copy(&file, target).with_context(|| format!("copy {} to {}", file.display(), target.display()))?;
    }
    Ok(())
}
