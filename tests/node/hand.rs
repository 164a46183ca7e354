//! A hand on the node: a script that runs there as root, among the node's own processes.

use crate::each::Place;
use anyhow::{Context as _, Result, bail};
use podsight_testbed::description::Kind;
use podsight_tests::testbed::until;
use serde_json::json;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Functions for the scripts.
const PRELUDE: &str = r#"
# processes UID COMM: the processes of that name in the pod of that UID
processes() {
  for process in /proc/[0-9]*; do
    if grep -qs "pod$1" "$process/cgroup" && [ "$(cat "$process/comm" 2>/dev/null)" = "$2" ]; then echo "${process#/proc/}"; fi
  done
}
# wake UID: a signal to the shell of that pod, which waits for it with a sleep beside it
wake() {
  until [ -n "$(processes $1 sleep)" ]; do sleep 0.2; done
  sleep 1
  kill -USR1 $(processes $1 sh)
}
# killed UID: whether the kernel's log tells of a kill in the pod of that UID
killed() { dmesg | grep -q "oom-kill:.*pod$1"; }
"#;

/// Shells of one hand: as many tests can use it at once.
const SHELLS: usize = 3;

/// Shells on a node that have called and wait for a script each. Starting a pod takes an emulated node ten seconds and more, so there is one hand
/// for all scripts.
struct Hand {
    listener: TcpListener,
    /// The pod with the shells, if there is one, and how many there have been.
    pod: Mutex<(Option<String>, usize)>,
}

/// Runs `script` on the node and gives what it says. It must succeed.
pub(crate) fn run(place: &Place<'_>, name: &str, script: &str) -> Result<String> {
    let program = format!("{PRELUDE}\n{{ ( set -e\n{script}\n) </dev/null 2>&1; echo \"exit $?\"; exit 0; }}\n");
    let stream = hand(place.node.kind)?.shell(place).with_context(|| format!("find a shell for the script {name}"))?;
    let said = talk(stream, &program).with_context(|| format!("run the script {name}"))?;
    match said.strip_suffix("exit 0\n") {
        Some(said) => Ok(said.to_owned()),
        None => bail!("the script {name} failed:\n{said}"),
    }
}

fn hand(kind: Kind) -> Result<&'static Hand> {
    static HANDS: [OnceLock<Hand>; 2] = [OnceLock::new(), OnceLock::new()];
    let [machine, guest] = &HANDS;
    let hand = match kind {
        Kind::Machine => machine,
        Kind::Guest => guest,
    };
    if let Some(hand) = hand.get() {
        return Ok(hand);
    }
    let listener = TcpListener::bind("127.0.0.1:0").context("listen for the shells of a node")?;
    listener.set_nonblocking(true).context("listen for the shells of a node")?;
    Ok(hand.get_or_init(|| Hand { listener, pod: Mutex::default() }))
}

impl Hand {
    /// A shell that waits for a script.
    fn shell(&self, place: &Place<'_>) -> Result<TcpStream> {
        until("a shell on the node has called", || match self.listener.accept() {
            Ok((stream, _)) => Ok(Some(stream)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.keep(place).map(|()| None),
            Err(error) => Err(error).context("accept a shell"),
        })
    }

    /// Sees to it that there is a pod with shells.
    fn keep(&self, place: &Place<'_>) -> Result<()> {
        let mut pod = self.pod.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = &pod.0 {
            let phase = place.testbed.kubectl.output(&["get", "pod", name, "-o", "jsonpath={.status.phase}"])?.stdout;
            if ["Pending", "Running"].contains(&phase.as_str()) {
                return Ok(());
            }
        }
        pod.1 += 1;
        let name = format!("hand-{}-{}-{}", place.node.name, std::process::id(), pod.1);
        // The machine's loopback, as QEMU shows it to its guest.
        let address = match place.node.kind {
            Kind::Machine => "127.0.0.1",
            Kind::Guest => "10.0.2.2",
        };
        let port = self.listener.local_addr().context("listen for the shells of a node")?.port();
        // They end with the test, when nobody listens any more.
        let shells = format!("for shell in $(seq {SHELLS}); do while nc {address} {port} -e sh; do :; done & done; wait");
        let file = place.namespace.file(
            &format!("{name}.json"),
            &json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"},
                "spec": {
                    "nodeSelector": {"kubernetes.io/hostname": place.node.name},
                    "restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "hostPID": true, "hostNetwork": true,
                    "containers": [{
                        "name": "hand", "image": "podsight.test/busybox:1", "imagePullPolicy": "Never",
                        "command": ["sh", "-c", shells], "securityContext": {"privileged": true},
                    }],
                },
            })
            .to_string(),
        )?;
        place.testbed.kubectl.run(&["create", "-f", &file])?;
        pod.0 = Some(name);
        Ok(())
    }
}

/// All records of the kernel's log on the node, as `/dev/kmsg` gives them.
pub(crate) fn kernel_log(place: &Place<'_>, name: &str) -> Result<String> {
    // Reading the device waits for more at its end, so it is read up to a record of our own.
    let end = format!("podsight test: end of {}/{name}", place.namespace.name);
    let script = format!(
        "log=$(mktemp)
        cat /dev/kmsg > $log & reader=$!
        echo '{end}' > /dev/kmsg
        until grep -q ';{end}$' $log; do sleep 0.1; done
        kill $reader
        sed '\\|;{end}$|q' $log
        rm $log"
    );
    let log = run(place, name, &script)?;
    if !log.trim_end().ends_with(&end) {
        bail!("the kernel's log ends early: {:?}", log.lines().last());
    }
    Ok(log)
}

/// Gives the shell its script and reads all that it says.
fn talk(mut stream: TcpStream, program: &str) -> Result<String> {
    stream.set_nonblocking(false).context("talk to a shell")?;
    stream.set_read_timeout(Some(podsight_tests::testbed::LIMIT)).context("talk to a shell")?;
    stream.write_all(program.as_bytes()).context("give a shell its script")?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).context("read a script's output")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
