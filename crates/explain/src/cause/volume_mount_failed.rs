//! `volume-mount-failed`

use super::prelude::*;

const IN_CONTAINER: [&str; 8] = [
    "failed to prepare subpath",
    "failed to create subpath directory",
    "cannot find volume \"",
    "trying to mount a directory onto a file",
    "not a directory: unknown: are you trying to mount",
    "failed to stat \"/var/lib/kubelet",
    "error while creating mount source path",
    "imagevolumemountfailed",
];
const IN_POD: [&str; 12] = [
    "mountvolume.setup failed",
    "mountvolume.mountdevice failed",
    "mountvolume.waitforattach failed",
    "attachvolume.attach failed",
    "unable to attach or mount volumes",
    "unable to mount volumes",
    "multi-attach error",
    "hostpath type check failed",
    "failedattachvolume",
    "failedmount",
    "volume attachment limit",
    "failedmapvolume",
];

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    if case.pod.reason == "VolumeAttachmentLimitExceeded" {
        let mut candidate = case
            .candidate(Cause::VolumeMountFailed, Level::Pod, 95, High)
            .fact(Case::fact("/status/reason", "VolumeAttachmentLimitExceeded"));
        if let Some(quote) = case.pod_texts.first() {
            candidate = candidate.quote(quote);
        }
        found.push(
            candidate
                .say(say!(
                    case,
                    "The node cannot attach one more volume: its driver's limit is reached.",
                    "节点无法再挂接卷：已达到存储驱动的上限。"
                ))
                .step(case.read_cluster(
                    &["get", "csinode", case.pod.node, "-o", "yaml"],
                    say!(case, "Shows how many volumes each driver allows on the node.", "查看每个驱动在该节点上允许的卷数。"),
                )),
        );
    }
    for (rank, container) in case.configuring().chain(case.starting()) {
        if let Some(quote) = case.text(container, &IN_CONTAINER).or_else(|| {
            case.text(container, &["error mounting"]).filter(|quote| quote.has(&["not a directory", "no such file or directory"]))
        }) {
            let summary = if quote.has(&["directory onto a file", "not a directory"]) {
                say!(
                    case,
                    "A volume is mounted onto something of another kind: a folder onto a file or the reverse. A single file of a ConfigMap or Secret needs subPath.",
                    "卷挂载到了不同类型的目标上：把目录挂到文件上，或相反。要挂载 ConfigMap 或 Secret 的单个文件需使用 subPath。"
                )
            } else {
                say!(case, "A volume mount of this container cannot be set up on the node.", "节点无法设置该容器的卷挂载。")
            };
            let mut candidate = case.candidate(Cause::VolumeMountFailed, Level::Container(rank), 90, High).of(container).quote(quote);
            if let Some(end) = container.end() {
                candidate = candidate.end(end);
            }
            let path = format!("{{.spec.{}[?(@.name==\"{}\")].volumeMounts}}", container.list(), container.name);
            found.push(candidate.say(summary).step(case.read(
                &["get", "pod", case.pod.name, "-o", &format!("jsonpath={path}")],
                say!(case, "Shows the mounts with their paths and sub-paths.", "显示各挂载的路径和子路径。"),
            )));
        }
    }
    if !case.setting_up() {
        return;
    }
    // An object or key that does not exist has a file of its own.
    let missing = |quote: &&Quote| {
        ["configmap", "secret"].iter().any(|kind| missing_object(quote, kind).is_some()) || quote.has(&["references non-existent"])
    };
    let Some(quote) = case.pod_text(&IN_POD).filter(|quote| !missing(quote)) else { return };
    // Which volumes are late, and not why.
    let unregistered = quote.has(&["\" not registered"]);
    let vague = unregistered || !quote.has(&["for volume \"", "multi-attach", "attachvolume"]) && quote.has(&["timed out waiting"]);
    let volume = quote.between("for volume \"", "\"").or_else(|| quote.between("unmounted volumes=[", "]")).map(shown).unwrap_or_default();
    let summary = if quote.has(&["multi-attach error"]) {
        say!(
            case,
            "The volume {volume} is still attached to another node, and it can be on one node only.",
            "卷 {volume} 仍挂接在另一个节点上，而它同一时间只能在一个节点上。"
        )
    } else if quote.has(&["hostpath type check failed"]) {
        let node = node_name(case);
        let path = host_path(case, &volume).map_or_else(String::new, |path| format!(" {}", shown(path)));
        say!(
            case,
            "The host path{path} of volume {volume} is missing on the node{node} or is of another type than the pod demands.",
            "卷 {volume} 的主机路径{path} 在节点{node}上不存在，或类型与 Pod 的要求不符。"
        )
    } else if let Some(driver) = quote.between("driver name ", " not found in the list of registered csi drivers").map(shown) {
        say!(
            case,
            "The volume {volume} cannot be mounted: the storage driver {driver} is not running on the node, or has not registered there yet.",
            "卷 {volume} 无法挂载：存储驱动 {driver} 没有在节点上运行，或尚未注册。"
        )
    } else if unregistered {
        say!(
            case,
            "The kubelet has not read the object of volume {volume} yet, as just after its start; it passes by itself.",
            "kubelet 还没有读到卷 {volume} 的对象，通常是刚启动；会自行恢复。"
        )
    } else {
        let said = said(quote);
        say!(case, "The volume {volume} cannot be attached or mounted on the node{said}", "卷 {volume} 无法挂接或挂载到节点{said}")
    };
    let steps = match host_path(case, &volume).filter(|_| !case.pod.node.is_empty()) {
        Some(path) => [
            case.read_cluster(
                &["debug", &format!("node/{}", case.pod.node), "-it", "--image=busybox", "--", "ls", "-ld", &format!("/host{path}")],
                say!(case, "Looks for the path on the node itself.", "在节点上查看该路径。"),
            ),
            case.read(
                &["get", "pod", case.pod.name, "-o", "jsonpath={.spec.volumes[*].hostPath}"],
                say!(case, "Shows the path and the type that the pod demands.", "显示 Pod 要求的路径和类型。"),
            ),
        ],
        None => [
            case.pod_events(say!(case, "Shows the storage driver's newest words.", "显示存储驱动最新的报错。")),
            case.read_cluster(
                &["get", "volumeattachments"],
                say!(case, "Shows which node holds which volume.", "查看各卷挂接在哪个节点上。"),
            ),
        ],
    };
    let candidate = case
        .candidate(Cause::VolumeMountFailed, Level::Container(0), if vague { 65 } else { 80 }, if vague { Medium } else { High })
        .of_some(mounter(case, &volume).or_else(|| case.only_container()))
        .quote(quote)
        .say(summary);
    found.push(steps.into_iter().fold(candidate, Candidate::step));
}

/// What the storage says, behind the name of the volume: `: ` and its words, or a stop.
fn said(quote: &Quote) -> String {
    let words = quote.text.split_once("\" : ").map(|(_, words)| words).unwrap_or_default();
    // What a mount program prints comes last, behind the arguments that it was given.
    let words = words.split_once("Output: ").map_or(words, |(_, output)| output);
    let words = words.rsplit_once(" (x").map_or(words, |(words, _)| words);
    if words.trim().is_empty() { ".".to_owned() } else { format!(": {}", shown(words)) }
}

/// The path on the node that a volume stands for.
fn host_path<'a>(case: &Case<'a>, volume: &str) -> Option<&'a str> {
    let found = case.pod.spec.list("volumes").iter().find(|found| found.text("name") == volume)?;
    Some(found.get_or_null("hostPath").text("path")).filter(|path| !path.is_empty())
}

/// The container that mounts this volume.
fn mounter<'c, 'a>(case: &'c Case<'a>, volume: &str) -> Option<&'c Container<'a>> {
    case.pod
        .containers
        .iter()
        .find(|container| !volume.is_empty() && container.spec.list("volumeMounts").iter().any(|mount| mount.text("name") == volume))
}
