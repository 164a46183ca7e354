//! A hand on the node: a script that runs there as root, among the node's own processes.

use crate::each::Place;
use anyhow::{Context as _, Result, bail};
use podsight_testbed::description::Kind;
use podsight_tests::testbed::until;
use serde_json::json;
use std::io::{ErrorKind, Read as _};
use std::net::{TcpListener, TcpStream};

/// Functions for the scripts.
const PRELUDE: &str = r#"
# processes UID COMM: the processes of that name in the pod of that UID
processes() {
  for process in /proc/[0-9]*; do
    if grep -qs "pod$1" "$process/cgroup" && [ "$(cat "$process/comm" 2>/dev/null)" = "$2" ]; then echo "${process#/proc/}"; fi
  done
}
# killed UID: whether the kernel's log tells of a kill in the pod of that UID
killed() { dmesg | grep -q "oom-kill:.*pod$1"; }
"#;

/// Runs `script` on the node and gives what it says. It must succeed.
pub(crate) fn run(place: &Place<'_>, name: &str, script: &str) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").context("listen for a script's output")?;
    listener.set_nonblocking(true).context("listen for a script's output")?;
    let port = listener.local_addr().context("listen for a script's output")?.port();
    // The machine's loopback, as QEMU shows it to its guest.
    let address = match place.node.kind {
        Kind::Machine => "127.0.0.1",
        Kind::Guest => "10.0.2.2",
    };
    let program = format!("{{ {PRELUDE}\n( set -e\n{script}\n) 2>&1; echo \"exit $?\"; }} | nc {address} {port}");
    place.namespace.create(
        &json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {
                "nodeSelector": {"kubernetes.io/hostname": place.node.name},
                "restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "hostPID": true, "hostNetwork": true,
                "containers": [{
                    "name": "hand", "image": "podsight.test/busybox:1", "imagePullPolicy": "Never",
                    "command": ["sh", "-c", program], "securityContext": {"privileged": true},
                }],
            },
        })
        .to_string(),
    )?;
    let stream = until(&format!("the script {name} begins to talk"), || match listener.accept() {
        Ok((stream, _)) => Ok(Some(stream)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error).context("accept a script's output"),
    })
    .with_context(|| format!("{:?}", place.namespace.kubectl(&["describe", "pod", name])))?;
    let said = read(stream)?;
    match said.strip_suffix("exit 0\n") {
        Some(said) => Ok(said.to_owned()),
        None => bail!("the script {name} failed:\n{said}"),
    }
}

/// All records of the kernel's log on the node, as `/dev/kmsg` gives them.
pub(crate) fn kernel_log(place: &Place<'_>, name: &str) -> Result<String> {
    // Reading the device waits for more at its end, so it is read up to a record of our own.
    let end = format!("podsight test: end of {}/{name}", place.namespace.name);
    let script = format!(
        "cat /dev/kmsg > /tmp/log & reader=$!
        echo '{end}' > /dev/kmsg
        until grep -q ';{end}$' /tmp/log; do sleep 0.1; done
        kill $reader
        sed '\\|;{end}$|q' /tmp/log"
    );
    let log = run(place, name, &script)?;
    if !log.trim_end().ends_with(&end) {
        bail!("the kernel's log ends early: {:?}", log.lines().last());
    }
    Ok(log)
}

fn read(mut stream: TcpStream) -> Result<String> {
    stream.set_nonblocking(false).context("read a script's output")?;
    stream.set_read_timeout(Some(podsight_tests::testbed::LIMIT)).context("read a script's output")?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).context("read a script's output")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
