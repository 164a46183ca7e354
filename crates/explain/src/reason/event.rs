//! Reasons of events about pods and their nodes (`pkg/kubelet/events/event.go`, the scheduler, the controllers, podsight's agent).

use super::{Channel, Reason};
use podsight_cause::Cause;

/// Shows the events of the pod, newest last.
const EVENTS: &str = "kubectl get events --field-selector involvedObject.name=POD --sort-by=.lastTimestamp";
/// Shows the events of nodes.
const NODE_EVENTS: &str = "kubectl get events -A --field-selector involvedObject.kind=Node --sort-by=.lastTimestamp";

const fn event(
    name: &'static str,
    origin: &'static str,
    causes: &'static [Cause],
    meaning: (&'static str, &'static str),
    apart: (&'static str, &'static str),
) -> Reason {
    Reason { name, aliases: &[], channel: Channel::Event, origin, since: None, until: None, causes, meaning, apart, command: EVENTS }
}

const fn node_event(
    name: &'static str,
    origin: &'static str,
    causes: &'static [Cause],
    meaning: (&'static str, &'static str),
    apart: (&'static str, &'static str),
) -> Reason {
    Reason { command: NODE_EVENTS, ..event(name, origin, causes, meaning, apart) }
}

pub(super) static REASONS: &[Reason] = &[
    event(
        "BackOff",
        "kubelet, pkg/kubelet/kuberuntime and pkg/kubelet/images",
        &[Cause::AppError, Cause::OomContainerLimit, Cause::ProbeKill, Cause::ImagePullCauseUnseen],
        (
            "The kubelet waits before it tries again: to start a container that ended, or to pull an image that did not come. It is a timer and never a cause.",
            "kubelet 在重试之前等待：重新启动已结束的容器，或重新拉取失败的镜像。它只是计时器，从来不是原因。",
        ),
        (
            "\"restarting failed container\": look at lastState.terminated. \"pulling image\": look at the Failed event before it.",
            "消息为“restarting failed container”：看 lastState.terminated；为“pulling image”：看之前的 Failed 事件。",
        ),
    ),
    event(
        "Failed",
        "kubelet, pkg/kubelet/kuberuntime/kuberuntime_container.go and pkg/kubelet/images",
        &[Cause::ImageNotFound, Cause::ImageAccessDenied, Cause::CommandNotFound, Cause::ConfigmapMissing, Cause::ContainerCreateRejected],
        (
            "An image could not be pulled, or a container could not be configured, created or started. Before Kubernetes 1.32 this event alone has the registry's words.",
            "镜像拉取失败，或容器无法配置、创建、启动。Kubernetes 1.32 之前，只有这个事件里有镜像仓库的原话。",
        ),
        (
            "The message begins with what failed: Failed to pull image, Error: configmap ... not found, Error: failed to create containerd task.",
            "消息开头写明失败的步骤：Failed to pull image、Error: configmap … not found、Error: failed to create containerd task。",
        ),
    ),
    event(
        "FailedScheduling",
        "kube-scheduler, pkg/scheduler/schedule_one.go",
        &[
            Cause::UnschedulableResources,
            Cause::UnschedulableNodeSelector,
            Cause::UnschedulableTaint,
            Cause::PvcUnbound,
            Cause::UnschedulablePlacementRule,
        ],
        (
            "The scheduler found no node for the pod. The message counts the nodes by the reason that excludes each.",
            "调度器没有为 Pod 找到节点。消息按排除原因统计节点数。",
        ),
        (
            "Each node is counted once, by the first check that it fails: the reason with the most nodes is seldom wrong, and the others may hide more.",
            "每个节点只按第一个未通过的检查计数：节点最多的那个原因通常就是答案，其余的可能还隐藏着别的原因。",
        ),
    ),
    event(
        "FailedMount",
        "kubelet, pkg/kubelet/volumemanager",
        &[Cause::ConfigmapMissing, Cause::SecretMissing, Cause::VolumeMountFailed, Cause::ConfigKeyMissing, Cause::MemoryLimitBelowStart],
        (
            "A volume of the pod cannot be mounted, and no container starts before it is.",
            "Pod 的某个卷无法挂载；在此之前不会启动任何容器。",
        ),
        (
            "The words after MountVolume.SetUp failed: an object that is not found, a host path of another type, a driver's error. \"timed out waiting\" alone only names the volumes.",
            "看 MountVolume.SetUp failed 之后的文字：对象不存在、主机路径类型不符、驱动报错。只有“timed out waiting”时仅列出卷名。",
        ),
    ),
    event(
        "FailedAttachVolume",
        "kube-controller-manager, pkg/controller/volume/attachdetach",
        &[Cause::VolumeMountFailed],
        ("A volume cannot be attached to the pod's node.", "卷无法挂接到 Pod 所在的节点。"),
        (
            "Multi-Attach error: another node still holds it, most often one that is gone. Other words come from the storage driver.",
            "Multi-Attach error：另一个节点仍占用它，多半是已失联的节点。其他文字来自存储驱动。",
        ),
    ),
    event(
        "FailedCreatePodSandBox",
        "kubelet, pkg/kubelet/kuberuntime/kuberuntime_manager.go",
        &[Cause::SandboxFailed, Cause::MemoryLimitBelowStart, Cause::RuntimeFailing],
        (
            "The pod's sandbox, which holds its network, cannot be made. The status shows ContainerCreating for ever.",
            "无法创建承载网络的 Pod 沙箱。状态会一直显示 ContainerCreating。",
        ),
        (
            "network or CNI in the message: the network plugin. runtime handler: the RuntimeClass. runc or cgroup: a memory limit that is too small. deadline or .sock: the runtime.",
            "消息含 network 或 CNI：网络插件；runtime handler：RuntimeClass；runc 或 cgroup：内存上限过小；deadline 或 .sock：容器运行时。",
        ),
    ),
    Reason {
        aliases: &[
            "CreatePodSandboxError",
            "ConfigPodSandboxError",
            "KillContainerError",
            "KillPodSandboxError",
            "RemoveContainerError",
            "ResizePodInPlaceError",
        ],
        ..event(
            "FailedSync",
            "kubelet, pkg/kubelet/pod_workers.go",
            &[Cause::SandboxFailed, Cause::RuntimeFailing],
            (
                "The kubelet could not bring the pod to the wanted state and tries again. CreatePodSandboxError, KillContainerError, KillPodSandboxError and the like are seen here only, never in the status.",
                "kubelet 未能把 Pod 调整到期望状态，会重试。CreatePodSandboxError、KillContainerError、KillPodSandboxError 等只出现在这里，从不出现在状态中。",
            ),
            (
                "The message has the step and its error; network is not ready and failed to ... sandbox are the most frequent.",
                "消息写明步骤和错误；最常见的是 network is not ready 和 failed to … sandbox。",
            ),
        )
    },
    event(
        "Unhealthy",
        "kubelet, pkg/kubelet/prober/prober.go",
        &[Cause::ReadinessFailing, Cause::ProbeKill],
        (
            "A probe failed. A readiness probe takes the pod out of its Services and kills nothing; a liveness or startup probe that fails too often has the container killed.",
            "探针失败。就绪探针只会把 Pod 移出 Service，不会杀死任何进程；存活或启动探针失败过多会导致容器被杀。",
        ),
        (
            "The message names the probe and its answer; a Killing event follows where the kubelet acts on it.",
            "消息写明是哪个探针以及得到的响应；kubelet 采取行动时随后会有 Killing 事件。",
        ),
    ),
    event(
        "Killing",
        "kubelet, pkg/kubelet/kuberuntime/kuberuntime_container.go",
        &[Cause::ProbeKill, Cause::StopGraceExceeded, Cause::EvictedOnRequest, Cause::PostStartHookFailed],
        (
            "The kubelet stops a container: SIGTERM, then SIGKILL at the end of the grace period. The exit code 143 or 137 after it is the kubelet's doing.",
            "kubelet 停止容器：先发 SIGTERM，宽限期结束后发 SIGKILL。之后的退出码 143 或 137 是 kubelet 造成的。",
        ),
        (
            "failed liveness probe, failed startup probe: the probe. definition changed: a new image. Stopping container: the pod is deleted, evicted or over.",
            "failed liveness probe 或 failed startup probe：探针；definition changed：换了镜像；Stopping container：Pod 被删除、被驱逐或已结束。",
        ),
    ),
    event(
        "ExceededGracePeriod",
        "kubelet, pkg/kubelet/pod_workers.go and pkg/kubelet/eviction",
        &[Cause::StopGraceExceeded],
        ("A container was not done when its grace period ended, and was killed.", "宽限期结束时容器仍未停止，因而被强制杀死。"),
        (
            "Does the main process handle SIGTERM, or is it a shell that keeps it to itself? How long does preStop take?",
            "主进程处理 SIGTERM 吗，还是一个不转发信号的 shell？preStop 需要多久？",
        ),
    ),
    event(
        "FailedPostStartHook",
        "kubelet, pkg/kubelet/kuberuntime/kuberuntime_container.go",
        &[Cause::PostStartHookFailed],
        ("The postStart hook failed, and the kubelet kills the container for it.", "postStart 钩子失败，kubelet 因此杀死容器。"),
        (
            "The hook runs beside the main process and may come before it: try its command in the running container.",
            "钩子与主进程同时运行，可能先于主进程：在运行中的容器里试一下它的命令。",
        ),
    ),
    event(
        "FailedPreStopHook",
        "kubelet, pkg/kubelet/kuberuntime/kuberuntime_container.go",
        &[Cause::StopGraceExceeded],
        (
            "The preStop hook failed or did not end in time; the container is stopped all the same.",
            "preStop 钩子失败或未及时结束；容器照样会被停止。",
        ),
        ("A hook that is as long as the grace period leaves the main process none of it.", "钩子若用满宽限期，主进程就没有时间优雅退出。"),
    ),
    event(
        "FailedPrepareDynamicResources",
        "kubelet, pkg/kubelet/cm/dra",
        &[Cause::ClaimMissing, Cause::RuntimeFailing],
        ("The devices of a resource claim cannot be prepared on the node.", "节点无法准备资源声明（ResourceClaim）中的设备。"),
        ("The claim or its driver on the node: the message names both.", "是声明的问题还是节点上驱动的问题：消息会写明两者。"),
    ),
    event(
        "SandboxChanged",
        "kubelet, pkg/kubelet/kuberuntime/kuberuntime_manager.go",
        &[Cause::NodeShutdownOrRestart, Cause::SandboxFailed],
        (
            "The pod's sandbox is gone or no longer fits; the kubelet makes another and starts all containers again.",
            "Pod 的沙箱消失或不再匹配；kubelet 会重建沙箱并重新启动所有容器。",
        ),
        (
            "Once, for all pods of a node: it was restarted. Again and again for one pod: its network or sandbox fails.",
            "同一节点所有 Pod 同时出现一次：节点重启过；某个 Pod 反复出现：它的网络或沙箱有问题。",
        ),
    ),
    event(
        "NetworkNotReady",
        "kubelet, pkg/kubelet/kubelet.go",
        &[Cause::SandboxFailed],
        (
            "The network of the node is not ready; pods with hostNetwork start all the same.",
            "节点网络未就绪；使用 hostNetwork 的 Pod 仍可启动。",
        ),
        (
            "Does the network plugin's pod run on the node, and is its configuration in /etc/cni/net.d?",
            "网络插件的 Pod 在该节点上运行吗？/etc/cni/net.d 里有它的配置吗？",
        ),
    ),
    event(
        "InspectFailed",
        "kubelet, pkg/kubelet/images/image_manager.go",
        &[Cause::ImageNameInvalid, Cause::RuntimeFailing],
        ("The image reference cannot be parsed, or the runtime cannot look the image up.", "镜像引用无法解析，或运行时无法查询该镜像。"),
        (
            "invalid reference format: the name in the spec. Any other words: the runtime.",
            "invalid reference format：规约中的名字有误；其他文字：运行时的问题。",
        ),
    ),
    event(
        "TaintManagerEviction",
        "kube-controller-manager, pkg/controller/tainteviction",
        &[Cause::EvictedOnRequest, Cause::NodeUnreachable],
        (
            "The pod is deleted for a NoExecute taint of its node that it does not tolerate; \"Cancelling deletion\" takes it back.",
            "节点上有 Pod 不容忍的 NoExecute 污点，Pod 将被删除；“Cancelling deletion”表示撤销。",
        ),
        (
            "not-ready and unreachable taints come from the node's state, all others were set by somebody.",
            "not-ready 和 unreachable 污点来自节点状态，其余的都是有人设置的。",
        ),
    ),
    event(
        "FailedCreate",
        "kube-controller-manager, on ReplicaSets, Jobs, StatefulSets and DaemonSets",
        &[Cause::Unknown],
        (
            "The controller could not make a pod: there is none to be explained, and the reason stands in this event alone.",
            "控制器无法创建 Pod：没有可供解释的 Pod，原因只在这个事件里。",
        ),
        (
            "exceeded quota: the namespace's ResourceQuota. forbidden: a policy or webhook. not found: a ServiceAccount or PriorityClass that does not exist.",
            "exceeded quota：命名空间配额；forbidden：策略或 webhook；not found：ServiceAccount 或 PriorityClass 不存在。",
        ),
    ),
    event(
        "OOMKillConfirmed",
        "podsight-agent, from the kernel's own record",
        &[Cause::OomContainerLimit, Cause::OomChildProcess, Cause::OomPodLimit, Cause::OomNode],
        (
            "The kernel killed a process of the pod for memory. It is confirmed by the kernel's log, also where the container runs on.",
            "内核因内存不足杀死了该 Pod 的一个进程。已由内核日志证实，容器仍在运行时也会报告。",
        ),
        (
            "The words after the colon name the limit that was reached; the id in brackets is the cause.",
            "冒号后写明达到的是哪个上限；方括号中的 id 就是原因。",
        ),
    ),
    node_event(
        "SystemOOM",
        "kubelet, pkg/kubelet/oom/oom_watcher_linux.go, on the node",
        &[Cause::OomNode],
        (
            "The node as a whole ran out of memory, and the kernel killed a process somewhere on it.",
            "整个节点内存耗尽，内核杀死了节点上的某个进程。",
        ),
        (
            "The event names the victim by process; podsight's agent says which pod it was in.",
            "事件只写明受害进程；podsight 代理会说明它属于哪个 Pod。",
        ),
    ),
    node_event(
        "NodeNotReady",
        "kube-controller-manager, pkg/controller/nodelifecycle",
        &[Cause::NodeUnreachable, Cause::NodeShutdownOrRestart],
        (
            "The node does not report, or reports that it is not ready; its pods are marked not ready.",
            "节点没有上报，或上报未就绪；其上的 Pod 被标记为未就绪。",
        ),
        (
            "Ready False: the kubelet says what is wrong. Ready Unknown: nobody hears from it.",
            "Ready 为 False：kubelet 会说明哪里不对；为 Unknown：没有人收到它的消息。",
        ),
    ),
    node_event(
        "Rebooted",
        "kubelet, pkg/kubelet/kubelet_node_status.go, on the node",
        &[Cause::NodeShutdownOrRestart],
        (
            "The node has another boot id than before: it was restarted, and all its containers ended with it.",
            "节点的启动 id 变了：它重启过，其上所有容器都随之结束。",
        ),
        ("Compare its time with finishedAt of the containers.", "把事件时间与容器的 finishedAt 对照。"),
    ),
];
