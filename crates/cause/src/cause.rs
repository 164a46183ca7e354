//! The table of causes. One entry a cause; the order is the order of the catalogue.

use crate::{Group, Predictable};

macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident { $id:literal, $group:ident, $predictable:ident, en: $en:literal, zh: $zh:literal })+) => {
        /// Why a pod is not well. The ids are fixed: users, scripts and annotations hold on to them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(clippy::doc_markdown, reason = "the meanings are shown to users, who see no backticks")]
        pub enum Cause {
            $(#[doc = $en] $name,)+
        }

        impl Cause {
            /// Every cause, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The id that users see, in kebab-case.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)+ }
            }

            /// The group that the cause belongs to.
            pub const fn group(self) -> Group {
                match self { $(Self::$name => Group::$group,)+ }
            }

            /// Whether the cause can be seen in the manifest before the pod runs.
            pub const fn predictable(self) -> Predictable {
                match self { $(Self::$name => Predictable::$predictable,)+ }
            }

            pub(crate) const fn en(self) -> &'static str {
                match self { $(Self::$name => $en,)+ }
            }

            pub(crate) const fn zh(self) -> &'static str {
                match self { $(Self::$name => $zh,)+ }
            }
        }
    };
}

causes! {
    ImageNameInvalid {
        "image-name-invalid", Image, Yes,
        en: "The image reference in the spec cannot be parsed, or is too short for a runtime that insists on a full registry name.",
        zh: "镜像引用无法解析，或者对要求写全仓库域名的运行时来说过短。"
    }
    ImageNotFound {
        "image-not-found", Image, Partly,
        en: "The registry answers, but it has no such repository, tag or digest.",
        zh: "镜像仓库有响应，但其中没有这个仓库路径、标签或摘要。"
    }
    ImageAccessDenied {
        "image-access-denied", Image, Partly,
        en: "The registry refuses the pull because the pull secret is missing, wrong, expired or not allowed to read this repository.",
        zh: "镜像仓库拒绝拉取：拉取凭据缺失、错误、已过期，或无权读取该仓库。"
    }
    ImageRegistryUnreachable {
        "image-registry-unreachable", Image, No,
        en: "The node cannot reach the registry because of name resolution, network, proxy, firewall or a registry that is down.",
        zh: "节点连不上镜像仓库：域名解析、网络、代理、防火墙有问题，或仓库本身已停止服务。"
    }
    ImageRegistryTls {
        "image-registry-tls", Image, No,
        en: "The registry is reached but the TLS handshake fails: certificate untrusted, expired or for another name, or plain HTTP answered.",
        zh: "能连到镜像仓库，但 TLS 握手失败：证书不受信任、已过期、名称不符，或对方用明文 HTTP 响应。"
    }
    ImageRateLimited {
        "image-rate-limited", Image, No,
        en: "The registry turns the pull away because too many pulls came from this account or address.",
        zh: "该账号或该地址拉取次数过多，镜像仓库拒绝了这次拉取。"
    }
    ImageWrongPlatform {
        "image-wrong-platform", Image, Partly,
        en: "The image, or the program in it, is built for another operating system or CPU than the node has.",
        zh: "镜像或其中的程序是为另一种操作系统或 CPU 架构构建的，与节点不符。"
    }
    ImageNeverPullAbsent {
        "image-never-pull-absent", Image, Partly,
        en: "The pull policy is Never and the node does not hold an image that this pod may use.",
        zh: "拉取策略为 Never，而节点上没有这个 Pod 可以使用的镜像。"
    }
    ImageSignatureRejected {
        "image-signature-rejected", Image, Partly,
        en: "The image policy of the node does not accept the signature of the image.",
        zh: "节点的镜像策略不接受该镜像的签名。"
    }
    ImagePullCauseUnseen {
        "image-pull-cause-unseen", Image, No,
        en: "The image cannot be pulled and the input does not contain the text that says why.",
        zh: "镜像拉取失败，但输入中没有说明原因的文本。"
    }
    ConfigmapMissing {
        "configmap-missing", Reference, Yes,
        en: "A ConfigMap that the pod needs does not exist in its namespace.",
        zh: "Pod 需要的 ConfigMap 在其命名空间中不存在。"
    }
    SecretMissing {
        "secret-missing", Reference, Yes,
        en: "A Secret that the pod needs does not exist in its namespace.",
        zh: "Pod 需要的 Secret 在其命名空间中不存在。"
    }
    ConfigKeyMissing {
        "config-key-missing", Reference, Yes,
        en: "The ConfigMap or Secret exists but lacks the key that the pod asks for.",
        zh: "ConfigMap 或 Secret 存在，但缺少 Pod 要求的键。"
    }
    ClaimMissing {
        "claim-missing", Reference, Yes,
        en: "A PersistentVolumeClaim or ResourceClaim that the pod names does not exist.",
        zh: "Pod 引用的 PersistentVolumeClaim 或 ResourceClaim 不存在。"
    }
    PvcUnbound {
        "pvc-unbound", Reference, Partly,
        en: "A PersistentVolumeClaim exists but has no volume, for want of its StorageClass, a fitting volume or a working provisioner.",
        zh: "PersistentVolumeClaim 存在但没有绑定卷：缺少 StorageClass、没有合适的卷，或 provisioner 没有工作。"
    }
    VolumeMountFailed {
        "volume-mount-failed", Reference, Partly,
        en: "A volume cannot be attached to the node or mounted into the container: wrong host path, sub-path, still held elsewhere, attach limit, storage or driver error.",
        zh: "卷无法挂接到节点或挂载到容器：主机路径或子路径错误、仍被别处占用、挂接数已达上限、存储或驱动出错。"
    }
    ContainerConfigCauseUnseen {
        "container-config-cause-unseen", Reference, Partly,
        en: "The kubelet cannot put the container configuration together and the input does not contain the text that says which reference or rule failed.",
        zh: "kubelet 无法生成容器配置，而输入中没有说明是哪个引用或规则出错的文本。"
    }
    CommandNotFound {
        "command-not-found", Command, Partly,
        en: "The command to run does not exist in the image under that name, or there is no command at all.",
        zh: "镜像中没有这个名字的命令，或者根本没有指定命令。"
    }
    CommandSyntaxError {
        "command-syntax-error", Command, Partly,
        en: "The shell cannot parse the script given as command, or the program refuses its arguments.",
        zh: "作为命令给出的脚本存在 shell 语法错误，或程序不接受所给的参数。"
    }
    PermissionDenied {
        "permission-denied", Permission, Partly,
        en: "The system refuses the program something: execute bit, file, port below 1024, capability or a system call blocked by seccomp.",
        zh: "系统拒绝了程序的操作：缺少执行权限、文件权限不足、使用 1024 以下端口、缺少 capability，或系统调用被 seccomp 拦截。"
    }
    RunAsNonrootViolation {
        "run-as-nonroot-violation", Permission, Partly,
        en: "The pod demands a non-root user but the image or the spec would run as root or as a user that cannot be checked.",
        zh: "Pod 要求以非 root 用户运行，但镜像或 Pod 规约会以 root 运行，或其用户无法核实。"
    }
    AppError {
        "app-error", App, No,
        en: "The program ended itself with a general failure code (1, 2, 101, 255), and the reason is in its own log.",
        zh: "程序以通用失败码（1、2、101、255）自行退出，原因只在它自己的日志里。"
    }
    AppDefinedCode {
        "app-defined-code", App, No,
        en: "The program ended itself with a code that has a meaning only in its own manual (3 to 125 and the like).",
        zh: "程序以自定义的退出码（3 到 125 等）自行退出，其含义要查该程序的手册。"
    }
    AppNativeCrash {
        "app-native-crash", App, No,
        en: "The program was ended by a fault of its own machine code: segmentation fault, abort, illegal instruction, bus error, arithmetic trap.",
        zh: "程序因原生代码出错而终止：段错误、abort、非法指令、总线错误或算术异常。"
    }
    LanguageHeapExhausted {
        "language-heap-exhausted", App, Partly,
        en: "The language runtime reached its own heap limit and gave up, without a kernel kill.",
        zh: "语言运行时达到了它自己的堆上限而放弃运行，内核并没有杀死它。"
    }
    AppConfigError {
        "app-config-error", App, Partly,
        en: "A file, environment variable or certificate that the program needs is absent, not there yet, expired or not acceptable to it.",
        zh: "程序需要的文件、环境变量或证书缺失、尚未就绪、已过期，或不被程序接受。"
    }
    DependencyUnavailable {
        "dependency-unavailable", App, No,
        en: "Another service that the program needs (database, API server, leader-election lease, cluster peer) does not answer or is not ready.",
        zh: "程序依赖的另一个服务（数据库、API server、选主租约、集群成员）没有响应或尚未就绪。"
    }
    CompletedButRestarted {
        "completed-but-restarted", App, Partly,
        en: "The program finished with code 0, but the restart policy starts it again each time.",
        zh: "程序以退出码 0 正常结束，但重启策略每次都会再把它启动起来。"
    }
    OomContainerLimit {
        "oom-container-limit", Memory, Partly,
        en: "The kernel killed the container because it used more memory than its own limit.",
        zh: "容器使用的内存超过了它自己的上限，被内核杀死。"
    }
    OomPodLimit {
        "oom-pod-limit", Memory, Partly,
        en: "The kernel killed a process because the pod, or a group above it, reached its memory limit while the container was within its own.",
        zh: "Pod 或其上级控制组达到内存上限，内核因此杀死了一个进程，而容器本身并未超限。"
    }
    OomNode {
        "oom-node", Memory, Partly,
        en: "The node as a whole ran out of memory and the kernel chose this container as the victim.",
        zh: "整个节点内存耗尽，内核选中并杀死了这个容器。"
    }
    OomChildProcess {
        "oom-child-process", Memory, Partly,
        en: "The kernel killed a child process in the container for memory; the main process was not killed and ended by itself or ran on.",
        zh: "内核因内存不足杀死了容器中的一个子进程；主进程没有被杀，随后自行结束或继续运行。"
    }
    OomUnattributed {
        "oom-unattributed", Memory, No,
        en: "An out-of-memory kill is reported, but the input does not show whether the container, the pod or the node ran out.",
        zh: "报告了一次内存不足导致的杀死，但输入看不出耗尽内存的是容器、Pod 还是节点。"
    }
    OomFlagFalse {
        "oom-flag-false", Memory, No,
        en: "The runtime says OOMKilled, but no kill ended this container; its exit has another cause.",
        zh: "运行时报告 OOMKilled，但这个容器并不是因此而结束的，它的退出另有原因。"
    }
    MemoryLimitBelowStart {
        "memory-limit-below-start", Memory, Yes,
        en: "The memory limit is too small even for the runtime to start the container process.",
        zh: "内存上限太小，连运行时启动容器进程都不够。"
    }
    ProbeKill {
        "probe-kill", Stop, Partly,
        en: "The kubelet stopped the container because its liveness or startup probe failed too often.",
        zh: "存活探针或启动探针失败次数过多，kubelet 因此停止了容器。"
    }
    StopGraceExceeded {
        "stop-grace-exceeded", Stop, Partly,
        en: "The container was asked to stop, but the process or its preStop hook was not done when the grace period ended, so it was killed.",
        zh: "容器被要求停止，但到宽限期结束时进程或其 preStop 钩子仍未完成，于是被强制杀死。"
    }
    EvictedOnRequest {
        "evicted-on-request", Stop, No,
        en: "The pod was removed on purpose: drain, eviction API, descheduler, autoscaler or a NoExecute taint.",
        zh: "Pod 被主动移除：节点排空、驱逐 API、descheduler、自动伸缩器或 NoExecute 污点。"
    }
    Preempted {
        "preempted", Stop, Partly,
        en: "The pod had to make room for a pod of higher priority.",
        zh: "Pod 必须为优先级更高的 Pod 让出位置。"
    }
    DeadlineExceeded {
        "deadline-exceeded", Stop, Partly,
        en: "The pod ran longer than its activeDeadlineSeconds allow.",
        zh: "Pod 的运行时间超过了 activeDeadlineSeconds 的限制。"
    }
    RestartAllRule {
        "restart-all-rule", Stop, Partly,
        en: "A restart rule in the pod spec restarted all its containers after one of them ended.",
        zh: "Pod 规约中的重启规则在某个容器结束后重启了全部容器。"
    }
    KilledExternally {
        "killed-externally", Stop, No,
        en: "Something outside Kubernetes and the kernel memory killer ended the process: runtime tool, security agent, user-space memory daemon, a person.",
        zh: "进程不是被 Kubernetes 或内核 OOM 终止的，而是被别的程序或人终止：运行时工具、安全代理、用户态内存守护进程，或者某个人。"
    }
    KillerUnknown {
        "killer-unknown", Stop, No,
        en: "The process was ended by a kill or stop signal and the input does not show who sent it.",
        zh: "进程被杀死信号或停止信号终止，但输入看不出信号是谁发出的。"
    }
    ContainerRecordLost {
        "container-record-lost", Stop, No,
        en: "The kubelet could no longer find the container and wrote a placeholder; the code 137 was observed by nobody and the real end is not recorded.",
        zh: "kubelet 找不到该容器，只写入了一条占位记录；137 这个退出码并没有人观察到，真实的结束情况没有记录。"
    }
    NodePressure {
        "node-pressure", Node, Partly,
        en: "The node ran short of memory, disk, inodes or process ids, so the kubelet evicted or refused the pod, or its writes failed.",
        zh: "节点的内存、磁盘、inode 或进程号不足，kubelet 因此驱逐或拒绝了 Pod，或者 Pod 无法写入。"
    }
    EvictedOwnStorageLimit {
        "evicted-own-storage-limit", Node, Partly,
        en: "The pod used more local storage than its own limit or the size limit of one of its emptyDir volumes, and was evicted for it.",
        zh: "Pod 使用的本地存储超过了自己的上限或某个 emptyDir 卷的大小上限，因此被驱逐。"
    }
    NodeShutdownOrRestart {
        "node-shutdown-or-restart", Node, No,
        en: "The node was shut down or rebooted, or its container runtime restarted, while the pod was on it.",
        zh: "Pod 所在的节点关机或重启，或其容器运行时重启。"
    }
    NodeUnreachable {
        "node-unreachable", Node, No,
        en: "The control plane lost contact with the node, or the node is gone.",
        zh: "控制平面与节点失去联系，或节点已不存在。"
    }
    UnschedulableResources {
        "unschedulable-resources", Scheduling, Partly,
        en: "No node has enough free CPU, memory, storage or pod slots for the requests.",
        zh: "没有节点有足够的空闲 CPU、内存、存储或 Pod 名额来满足请求。"
    }
    UnschedulableDevice {
        "unschedulable-device", Scheduling, Partly,
        en: "No node offers enough free GPUs or other extended resources that the pod requests.",
        zh: "没有节点能提供 Pod 请求的足够数量的空闲 GPU 或其他扩展资源。"
    }
    UnschedulableNodeSelector {
        "unschedulable-node-selector", Scheduling, Yes,
        en: "No node has the labels that the node selector or required node affinity of the pod asks for.",
        zh: "没有节点带有 Pod 的节点选择器或必需节点亲和性所要求的标签。"
    }
    UnschedulableTaint {
        "unschedulable-taint", Scheduling, Partly,
        en: "Every node that would fit is cordoned or has a taint that the pod does not tolerate.",
        zh: "本来合适的节点都被 cordon（不可调度），或带有 Pod 不容忍的污点。"
    }
    UnschedulablePlacementRule {
        "unschedulable-placement-rule", Scheduling, Partly,
        en: "Pods or volumes already in place exclude every node: pod affinity, spread rule, host port, volume zone, volume count.",
        zh: "现有的 Pod 或卷使所有节点都无法使用：Pod 亲和性、拓扑分布、主机端口、卷所在可用区或卷数量。"
    }
    SchedulingGated {
        "scheduling-gated", Scheduling, Yes,
        en: "The pod carries scheduling gates that nobody has removed yet.",
        zh: "Pod 带有尚未被移除的调度门控。"
    }
    UnschedulableCauseUnseen {
        "unschedulable-cause-unseen", Scheduling, No,
        en: "The pod has not been given a node and the input does not show why.",
        zh: "Pod 还没有分配到节点，输入看不出原因。"
    }
    AdmissionNodeFull {
        "admission-node-full", Admission, Partly,
        en: "The node chosen for the pod had no room left when the kubelet checked: CPU, memory, storage, pod slots, devices, or a resize that does not fit.",
        zh: "kubelet 检查时，为 Pod 选定的节点已没有余量：CPU、内存、存储、Pod 名额、设备，或无法满足的原地资源调整。"
    }
    AdmissionNodeMismatch {
        "admission-node-mismatch", Admission, Partly,
        en: "The node chosen for the pod did not match its selector, name, ports or tolerations when the kubelet checked, for instance after a label change or a kubelet restart.",
        zh: "kubelet 检查时，为 Pod 选定的节点不符合它的选择器、节点名、端口或容忍度，例如标签变更或 kubelet 重启之后。"
    }
    AdmissionTopology {
        "admission-topology", Admission, Partly,
        en: "The CPU or NUMA policy of the node cannot give the pod an aligned set of CPUs, memory or devices.",
        zh: "节点的 CPU 或 NUMA 策略无法为 Pod 提供对齐的 CPU、内存或设备。"
    }
    AdmissionNodeUnsupported {
        "admission-node-unsupported", Admission, Partly,
        en: "The node does not allow or does not know a setting of the pod: sysctl, AppArmor profile, operating system, newer feature.",
        zh: "节点不允许或不认识 Pod 的某项设置：sysctl、AppArmor 配置、操作系统或较新的功能。"
    }
    SandboxFailed {
        "sandbox-failed", Runtime, Partly,
        en: "The pod sandbox cannot be made: network plugin missing, not ready or out of addresses, or runtime handler unknown to the node.",
        zh: "无法创建 Pod 沙箱：网络插件缺失、未就绪或地址耗尽，或节点不认识所要求的 runtime handler。"
    }
    RuntimeFailing {
        "runtime-failing", Runtime, No,
        en: "The container runtime or the kubelet of the node is down or fails inside: damaged image store, earlier attempt still held, time-outs, manager errors.",
        zh: "节点的容器运行时或 kubelet 停止工作或内部出错：镜像存储损坏、之前的尝试仍占用名称、超时、管理器出错。"
    }
    ContainerCreateRejected {
        "container-create-rejected", Runtime, Partly,
        en: "The runtime works but refuses the settings of this container: profile not found, device, mount propagation, cgroup value.",
        zh: "运行时工作正常，但拒绝了这个容器的设置：找不到安全配置文件、设备、挂载传播方式或 cgroup 值不合法。"
    }
    PostStartHookFailed {
        "post-start-hook-failed", Lifecycle, Partly,
        en: "The postStart hook failed, so the kubelet killed the container.",
        zh: "postStart 钩子失败，kubelet 因此杀死了容器。"
    }
    ReadinessFailing {
        "readiness-failing", Lifecycle, Partly,
        en: "The container runs, but its readiness probe or a readiness gate of the pod is not fulfilled.",
        zh: "容器在运行，但它的就绪探针或 Pod 的就绪门控没有满足。"
    }
    InitNotFinished {
        "init-not-finished", Lifecycle, No,
        en: "An init container is still at work, so the main containers wait.",
        zh: "某个 init 容器还在工作，主容器因此在等待。"
    }
    Healthy {
        "healthy", Normal, No,
        en: "All containers run and are ready, and nothing in the input shows a failure.",
        zh: "所有容器都在运行且已就绪，输入中没有任何失败迹象。"
    }
    Starting {
        "starting", Normal, No,
        en: "The pod is still being set up (image, volumes, network, first start) and nothing in the input shows a failure.",
        zh: "Pod 仍在准备中（镜像、卷、网络、首次启动），输入中没有任何失败迹象。"
    }
    Completed {
        "completed", Normal, No,
        en: "The pod did its work and ended with code 0, as its restart policy expects.",
        zh: "Pod 完成了工作并以退出码 0 结束，符合其重启策略的预期。"
    }
    Terminating {
        "terminating", Normal, No,
        en: "Deletion was requested and the pod is still ending: grace period, finalizers, unmounting.",
        zh: "已请求删除，Pod 还在收尾：宽限期、finalizer、卸载卷。"
    }
    Unknown {
        "unknown", Unknown, No,
        en: "The cause cannot be told from this input.",
        zh: "仅凭现有输入无法判断原因。"
    }
}
