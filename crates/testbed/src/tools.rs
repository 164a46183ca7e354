//! Programs of this machine that a testbed needs, and how to install one that is missing.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use nix::unistd::Uid;

/// A program and where it comes from.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// The program's name.
    pub program: &'static str,
    /// Debian's package, or how else to get it.
    pub source: Source,
}

/// Where a program comes from.
#[derive(Debug, Clone, Copy)]
pub enum Source {
    /// A package of Debian and its kin.
    Debian(&'static str),
    /// Told in words.
    Words(&'static str),
}

/// Builds Kubernetes and containerd.
pub const GO: Tool = Tool { program: "go", source: Source::Words("install Go 1.26 or newer from https://go.dev/dl/ and put it on PATH") };
/// Links Rust programs and compiles ring.
pub const C_COMPILER: Tool = Tool { program: "cc", source: Source::Debian("gcc libc6-dev") };
/// Runs containers.
pub const RUNC: Tool = Tool { program: "runc", source: Source::Debian("runc") };
/// The one program of the demonstration's image.
pub const BUSYBOX: Tool = Tool { program: "busybox", source: Source::Debian("busybox-static") };
/// What the second node is made with.
pub const GUEST: [Tool; 7] = [
    Tool { program: "qemu-system-x86_64", source: Source::Debian("qemu-system-x86") },
    Tool { program: "modprobe", source: Source::Debian("kmod") },
    Tool { program: "depmod", source: Source::Debian("kmod") },
    Tool { program: "cpio", source: Source::Debian("cpio") },
    Tool { program: "mke2fs", source: Source::Debian("e2fsprogs") },
    Tool { program: "xz", source: Source::Debian("xz-utils") },
    Tool { program: "dpkg-deb", source: Source::Words("it comes with Debian and its kin") },
];

/// Everything that a full run needs beside Rust.
pub fn all() -> Vec<Tool> {
    [GO, C_COMPILER, RUNC, BUSYBOX].into_iter().chain(GUEST).collect()
}

impl Tool {
    /// Where it is, if it is there.
    pub fn find(self) -> Option<PathBuf> {
        // Debian keeps some of them where only root looks.
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path)
            .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
            .map(|folder| folder.join(self.program))
            .find(|file| file.is_file())
    }

    /// Where it is; otherwise one line that says how to install it.
    pub fn require(self) -> Result<PathBuf> {
        let Some(found) = self.find() else { bail!("{} is missing: {}", self.program, self.hint()) };
        Ok(found)
    }

    /// How to install it.
    pub fn hint(self) -> String {
        match self.source {
            Source::Debian(package) => format!("apt-get install {package}"),
            Source::Words(words) => words.to_owned(),
        }
    }
}

/// The `apt-get` line for those of `tools` that are missing, if one would help.
pub fn apt_get_line(tools: &[Tool]) -> Option<String> {
    let mut packages: Vec<&str> = tools
        .iter()
        .filter(|tool| tool.find().is_none())
        .filter_map(|tool| match tool.source {
            Source::Debian(package) => Some(package),
            Source::Words(_) => None,
        })
        .flat_map(str::split_ascii_whitespace)
        .collect();
    packages.sort_unstable();
    packages.dedup();
    let line = format!("apt-get install --yes --no-install-recommends {}", packages.join(" "));
    (!packages.is_empty() && Path::new("/etc/debian_version").exists()).then_some(line)
}

/// Whether this process is root.
pub fn is_root() -> bool {
    Uid::effective().is_root()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folders;

    #[test]
    fn the_build_machine_installs_every_package() {
        let script = std::fs::read_to_string(folders::repository().unwrap().join(".ci/run")).unwrap();
        let list = script.split_once("packages=(").unwrap().1.split_once(')').unwrap().0;
        let installed: Vec<&str> = list.split_ascii_whitespace().collect();
        for tool in all() {
            if let Source::Debian(packages) = tool.source {
                assert!(packages.split(' ').all(|package| installed.contains(&package)), ".ci/run does not install {packages}");
            }
        }
    }

    #[test]
    fn a_missing_tool_says_how_to_install_it() {
        let missing = Tool { program: "podsight-no-such-program", source: Source::Debian("some-package") };
        assert_eq!(missing.require().unwrap_err().to_string(), "podsight-no-such-program is missing: apt-get install some-package");
        let shell = Tool { program: "sh", source: Source::Words("") };
        assert!(shell.require().is_ok());
    }
}
