//! `runtime-failing`

use super::prelude::*;

const SAYS: [&str; 24] = [
    "did not terminate successfully",
    "unable to apply cgroup configuration",
    "no running task found",
    "failed to reserve container name",
    "failed to reserve sandbox name",
    "is reserved for",
    "context deadline exceeded",
    "deadlineexceeded",
    "containerd.sock",
    "crio.sock",
    "dockerd.sock",
    "transport is closing",
    "error reading from server: eof",
    "services have not yet been read",
    "failed to extract layer",
    "unable to initialize unpacker",
    "unexpected eof",
    "short read",
    "content digest",
    "failed to inspect image",
    "error getting imagestatus",
    "storage: file does not exist",
    "input/output error",
    "manager error",
];

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    if matches!(case.pod.reason.as_str(), "InvalidNodeInfo" | "UnknownReason" | "UnexpectedPredicateFailureType") {
        let reason = case.pod.reason.clone();
        let message = shown(case.pod.message);
        let candidate =
            case.candidate(Cause::RuntimeFailing, Level::Pod, 95, High).fact(Case::fact("/status/reason", format!("{reason}: {message}")));
        found.push(explain(
            case,
            candidate,
            &say!(case, "the kubelet failed inside while it admitted the pod", "kubelet 在准入 Pod 时内部出错"),
        ));
    }
    for (rank, container) in case.pulling().chain(case.configuring()).chain(case.starting()) {
        let hook = matches!(container.waiting, "PreCreateHookError" | "PreStartHookError" | "m.internalLifecycle.PreStartContainer");
        // A registry that does not answer is not the runtime's fault.
        let registry = matches!(container.waiting, "ErrImagePull" | "ImagePullBackOff" | "RegistryUnavailable");
        let quote = case.texts(container).iter().find(|quote| quote.has(&SAYS) || runtime_missing(quote) || disk_read_only(quote));
        let quote = quote.filter(|quote| {
            !registry || !quote.has(&["context deadline exceeded", "deadlineexceeded", "no such host"]) || quote.has(&[".sock"])
        });
        let inspect = container.waiting == "ImageInspectError";
        if quote.is_none() && !hook && !inspect {
            continue;
        }
        let mut candidate = case
            .candidate(
                Cause::RuntimeFailing,
                Level::Container(rank),
                if quote.is_some() { 87 } else { 80 },
                if quote.is_some() || hook { High } else { Medium },
            )
            .of(container);
        if let Some(quote) = quote {
            candidate = candidate.quote(quote);
        } else {
            candidate = candidate.fact(Case::fact(
                format!("{}/state/waiting", container.status_pointer),
                format!("{}: {}", container.waiting, shown(container.waiting_message)),
            ));
        }
        let said = |needles: &[&str]| quote.is_some_and(|quote| quote.has(needles));
        let what = if hook {
            say!(
                case,
                "the kubelet's own CPU or memory manager failed before the start (this is no hook of yours)",
                "kubelet 自己的 CPU 或内存管理器在启动前出错（并不是你写的钩子）"
            )
        } else if said(&["is reserved for", "failed to reserve"]) {
            say!(
                case,
                "an earlier attempt to make the container still holds its name: the runtime or its disk is slow",
                "之前的创建尝试仍占用着容器名：运行时或其磁盘过慢"
            )
        } else if said(&["extract layer", "unexpected eof", "short read", "content digest"]) {
            say!(case, "the layers of the image are damaged on the node or on the way", "镜像层在节点上或传输途中损坏")
        } else if quote.is_some_and(runtime_missing) {
            say!(case, "the runtime's own program is missing or does not start", "运行时自身的程序缺失或无法启动")
        } else if quote.is_some_and(disk_read_only) {
            say!(case, "the disk of the container runtime is read-only", "容器运行时所在的磁盘是只读的")
        } else if said(&["services have not yet been read"]) {
            say!(
                case,
                "the kubelet has just started and does not know the services yet; it passes by itself",
                "kubelet 刚启动，还没有读到 Service 列表；会自行恢复"
            )
        } else {
            say!(case, "the container runtime does not answer or fails inside", "容器运行时没有响应或内部出错")
        };
        found.push(explain(case, candidate, &what));
    }
    if case.setting_up()
        && let Some(quote) = case.pod_text(&["failed to prepare dynamic resources", "nodeprepareresources failed"])
    {
        let candidate = case.candidate(Cause::RuntimeFailing, Level::Container(0), 84, Medium).of_some(case.only_container()).quote(quote);
        let line = shown(quote.between("failed to prepare dynamic resources: ", "").unwrap_or(&quote.text));
        found.push(explain(
            case,
            candidate,
            &say!(
                case,
                "the driver of the devices that the pod claims cannot prepare them ({line})",
                "Pod 所声明设备的驱动无法完成准备（{line}）"
            ),
        ));
    }
    if case.setting_up()
        && let Some(quote) = case.pod_texts.iter().find(|quote| {
            quote.has(&["sandbox"])
                && (quote.has(&[".sock", "failed to reserve sandbox name", "transport is closing"])
                    || (quote.has(&["context deadline exceeded", "deadlineexceeded"]) && !quote.has(&["network", "cni", "dial"])))
        })
    {
        let candidate = case.candidate(Cause::RuntimeFailing, Level::Container(0), 90, High).of_some(case.only_container()).quote(quote);
        found.push(explain(
            case,
            candidate,
            &say!(case, "the container runtime does not answer while it makes the sandbox", "容器运行时在创建沙箱时没有响应"),
        ));
    }
}

/// Whether the runtime's own store can no longer be written.
fn disk_read_only(quote: &Quote) -> bool {
    quote.has(&["read-only file system"])
        && quote.has(&["mkdir /var/lib/containerd", "/snapshots/", "/var/lib/docker", "/var/lib/containers/storage"])
        && !quote.has(&["/rootfs"])
}

fn explain(case: &Case<'_>, candidate: Candidate, what: &str) -> Candidate {
    let node = node_name(case);
    candidate
        .say(say!(case, "The trouble is on the node{node}, not in the pod: {what}.", "问题在节点{node}上而不在 Pod：{what}。"))
        .step(case.read_cluster(
            &["get", "events", "-A", "--field-selector", "reason=FailedCreatePodSandBox"],
            say!(case, "Shows whether other pods of the node suffer too.", "查看该节点的其他 Pod 是否也受影响。"),
        ))
        .step(
            case.read_cluster(
                &["get", "--raw", &format!("/api/v1/nodes/{}/proxy/logs/?query=containerd&query=kubelet", case.pod.node)],
                say!(
                    case,
                    "Reads the logs of runtime and kubelet (where the kubelet allows it).",
                    "读取运行时和 kubelet 的日志（需 kubelet 允许）。"
                ),
            )
            .filter(|_| !case.pod.node.is_empty()),
        )
}
