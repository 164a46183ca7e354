//! Kubernetes, etcd, containerd, the CNI plugins, Helm and promtool, built from their Go modules.
//!
//! The folders of `go/` pin every module. The programs are kept in the user's cache under a hash of those
//! files and of the flags, so that another checkout finds them built.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::folders::{self, hex};
use crate::progress::Progress;
use crate::{command, tools};

/// The version that the Kubernetes programs print: that of the module `k8s.io/kubernetes` in `go/kubernetes/go.mod`.
pub const KUBERNETES_VERSION: &str = "v1.37.2";

/// Not needed on any node of ours, and each would want C headers.
const NODE_TAGS: &str = "-tags=no_btrfs,no_devmapper,no_zfs";

/// Rules are tested without discovering anything; every cloud's client would be built otherwise.
const PROMTOOL_TAGS: &str = "-tags=remove_all_sd";

/// Those that other tools install together; `KUBEBUILDER_ASSETS` names their folder.
const SHARED_PROGRAMS: [&str; 3] = ["etcd", "kube-apiserver", "kubectl"];

struct Program {
    name: &'static str,
    module: &'static str,
    package: &'static str,
}

/// Programs that are kept in one folder, under the hash of their modules.
struct Group {
    modules: &'static [&'static str],
    programs: &'static [Program],
}

/// What a testbed runs.
const CLUSTER: Group = Group { modules: &["kubernetes", "node"], programs: &PROGRAMS };

/// What tests hold `deploy/` against.
const HELM: Group =
    Group { modules: &["helm"], programs: &[Program { name: "helm", module: "helm", package: "helm.sh/helm/v4/cmd/helm" }] };
const PROMTOOL: Group = Group {
    modules: &["prometheus"],
    programs: &[Program { name: "promtool", module: "prometheus", package: "github.com/prometheus/prometheus/cmd/promtool" }],
};

const PROGRAMS: [Program; 12] = [
    node("containerd", "github.com/containerd/containerd/v2/cmd/containerd"),
    node("containerd-shim-runc-v2", "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2"),
    node("ctr", "github.com/containerd/containerd/v2/cmd/ctr"),
    node("host-local", "github.com/containernetworking/plugins/plugins/ipam/host-local"),
    node("loopback", "github.com/containernetworking/plugins/plugins/main/loopback"),
    node("ptp", "github.com/containernetworking/plugins/plugins/main/ptp"),
    kubernetes("etcd", "go.etcd.io/etcd/server/v3"),
    kubernetes("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
    kubernetes("kubelet", "k8s.io/kubernetes/cmd/kubelet"),
    kubernetes("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    kubernetes("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
    kubernetes("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
];

const fn node(name: &'static str, package: &'static str) -> Program {
    Program { name, module: "node", package }
}

const fn kubernetes(name: &'static str, package: &'static str) -> Program {
    Program { name, module: "kubernetes", package }
}

/// Where the built programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// The file of a program of the table above.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The folder that holds them all.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Builds what a testbed needs and the cache does not hold.
pub fn build(progress: &Progress) -> Result<Programs> {
    build_group(&CLUSTER, progress)
}

/// Builds what tests hold `deploy/` against, so that [`find`] finds it.
pub fn build_checkers(progress: &Progress) -> Result<()> {
    for group in [&HELM, &PROMTOOL] {
        build_group(group, progress)?;
    }
    Ok(())
}

/// A program of any group, if it has been built.
pub fn find(name: &str) -> Result<Option<PathBuf>> {
    for group in [&CLUSTER, &HELM, &PROMTOOL] {
        if group.programs.iter().any(|program| program.name == name) {
            let file = group_folder(group)?.join(name);
            return Ok(file.is_file().then_some(file));
        }
    }
    Ok(None)
}

fn sources() -> Result<PathBuf> {
    Ok(folders::repository()?.join("crates/testbed/go"))
}

fn group_folder(group: &Group) -> Result<PathBuf> {
    Ok(folders::cache()?.join(fingerprint(&sources()?, group.modules)?))
}

fn build_group(group: &Group, progress: &Progress) -> Result<Programs> {
    let _lock = folders::lock_cache(progress)?;
    let sources = sources()?;
    let folder = group_folder(group)?;
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    for program in group.programs {
        let target = folder.join(program.name);
        if target.exists() {
            continue;
        }
        if let Some(given) = shared(program.name) {
            std::os::unix::fs::symlink(&given, &target).with_context(|| format!("link {}", given.display()))?;
            continue;
        }
        progress.step(&format!("build {} (once; kept in {})", program.name, folder.display()));
        let draft = folder.join(format!("{}.{}", program.name, std::process::id()));
        command::run(&mut go_build(&tools::GO.require()?, program, &sources, &draft))?;
        fs::rename(&draft, &target).with_context(|| format!("keep {}", target.display()))?;
    }
    Ok(Programs { folder })
}

fn go_build(go: &Path, program: &Program, sources: &Path, target: &Path) -> Command {
    let mut command = Command::new(go);
    command.current_dir(sources.join(program.module)).args(["build", "-mod=readonly"]).args(flags(program.module));
    command.arg("-o").arg(target).arg(program.package);
    // Static programs run in the guest as they are.
    command.env("CGO_ENABLED", "0").env("GOWORK", "off");
    command
}

fn flags(module: &str) -> Vec<String> {
    let common = ["-trimpath", "-buildvcs=false"].map(str::to_owned);
    let own = match module {
        "kubernetes" => {
            let variable = "-X k8s.io/component-base/version.";
            let (major, minor) = ("1", KUBERNETES_VERSION.split('.').nth(1).unwrap_or_default());
            vec![format!(
                "-ldflags=-s -w {variable}gitVersion={KUBERNETES_VERSION} {variable}gitMajor={major} {variable}gitMinor={minor} {variable}gitTreeState=clean"
            )]
        }
        "node" => vec![NODE_TAGS.to_owned(), "-ldflags=-s -w".to_owned()],
        "prometheus" => vec![PROMTOOL_TAGS.to_owned(), "-ldflags=-s -w".to_owned()],
        _ => vec!["-ldflags=-s -w".to_owned()],
    };
    common.into_iter().chain(own).collect()
}

fn fingerprint(sources: &Path, modules: &[&str]) -> Result<String> {
    let mut hash = Sha256::new();
    for module in modules {
        for file in ["go.mod", "go.sum"] {
            let path = sources.join(module).join(file);
            hash.update(fs::read(&path).with_context(|| format!("read {}", path.display()))?);
        }
        hash.update(flags(module).join("\n"));
    }
    if let Some(assets) = env::var_os("KUBEBUILDER_ASSETS") {
        hash.update(assets.as_encoded_bytes());
    }
    Ok(hex(&hash.finalize()).get(..16).unwrap_or_default().to_owned())
}

fn shared(name: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(env::var_os("KUBEBUILDER_ASSETS")?);
    let file = folder.join(name);
    (SHARED_PROGRAMS.contains(&name) && file.is_file()).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_printed_is_the_version_built() {
        let module = folders::repository().unwrap().join("crates/testbed/go/kubernetes/go.mod");
        let text = fs::read_to_string(module).unwrap();
        assert!(text.contains(&format!("k8s.io/kubernetes {KUBERNETES_VERSION}")), "KUBERNETES_VERSION is not that of go.mod");
    }
}
