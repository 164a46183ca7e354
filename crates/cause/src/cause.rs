//! The table of causes. One entry a cause; the order is the order of the catalogue.

use crate::{Group, Predictable};

macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident { $id:literal, $group:ident, $predictable:ident, en: $en:literal, zh: $zh:literal })+) => {
        /// Why a pod is not well. The ids are fixed: users, scripts and annotations hold on to them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
        zh: "The image reference in the spec cannot be parsed, or is too short for a runtime that insists on a full registry name."
    }
    ImageNotFound {
        "image-not-found", Image, Partly,
        en: "The registry answers, but it has no such repository, tag or digest.",
        zh: "The registry answers, but it has no such repository, tag or digest."
    }
    ImageAccessDenied {
        "image-access-denied", Image, Partly,
        en: "The registry refuses the pull because the pull secret is missing, wrong, expired or not allowed to read this repository.",
        zh: "The registry refuses the pull because the pull secret is missing, wrong, expired or not allowed to read this repository."
    }
    ImageRegistryUnreachable {
        "image-registry-unreachable", Image, No,
        en: "The node cannot reach the registry because of name resolution, network, proxy, firewall or a registry that is down.",
        zh: "The node cannot reach the registry because of name resolution, network, proxy, firewall or a registry that is down."
    }
    ImageRegistryTls {
        "image-registry-tls", Image, No,
        en: "The registry is reached but the TLS handshake fails: certificate untrusted, expired or for another name, or plain HTTP answered.",
        zh: "The registry is reached but the TLS handshake fails: certificate untrusted, expired or for another name, or plain HTTP answered."
    }
    ImageRateLimited {
        "image-rate-limited", Image, No,
        en: "The registry turns the pull away because too many pulls came from this account or address.",
        zh: "The registry turns the pull away because too many pulls came from this account or address."
    }
    ImageWrongPlatform {
        "image-wrong-platform", Image, Partly,
        en: "The image, or the program in it, is built for another operating system or CPU than the node has.",
        zh: "The image, or the program in it, is built for another operating system or CPU than the node has."
    }
    ImageNeverPullAbsent {
        "image-never-pull-absent", Image, Partly,
        en: "The pull policy is Never and the node does not hold an image that this pod may use.",
        zh: "The pull policy is Never and the node does not hold an image that this pod may use."
    }
    ImageSignatureRejected {
        "image-signature-rejected", Image, Partly,
        en: "The image policy of the node does not accept the signature of the image.",
        zh: "The image policy of the node does not accept the signature of the image."
    }
    ImagePullCauseUnseen {
        "image-pull-cause-unseen", Image, No,
        en: "The image cannot be pulled and the input does not contain the text that says why.",
        zh: "The image cannot be pulled and the input does not contain the text that says why."
    }
    ConfigmapMissing {
        "configmap-missing", Reference, Yes,
        en: "A ConfigMap that the pod needs does not exist in its namespace.",
        zh: "A ConfigMap that the pod needs does not exist in its namespace."
    }
    SecretMissing {
        "secret-missing", Reference, Yes,
        en: "A Secret that the pod needs does not exist in its namespace.",
        zh: "A Secret that the pod needs does not exist in its namespace."
    }
    ConfigKeyMissing {
        "config-key-missing", Reference, Yes,
        en: "The ConfigMap or Secret exists but lacks the key that the pod asks for.",
        zh: "The ConfigMap or Secret exists but lacks the key that the pod asks for."
    }
    ClaimMissing {
        "claim-missing", Reference, Yes,
        en: "A PersistentVolumeClaim or ResourceClaim that the pod names does not exist.",
        zh: "A PersistentVolumeClaim or ResourceClaim that the pod names does not exist."
    }
    PvcUnbound {
        "pvc-unbound", Reference, Partly,
        en: "A PersistentVolumeClaim exists but has no volume, for want of its StorageClass, a fitting volume or a working provisioner.",
        zh: "A PersistentVolumeClaim exists but has no volume, for want of its StorageClass, a fitting volume or a working provisioner."
    }
    VolumeMountFailed {
        "volume-mount-failed", Reference, Partly,
        en: "A volume cannot be attached to the node or mounted into the container: wrong host path, sub-path, still held elsewhere, attach limit, storage or driver error.",
        zh: "A volume cannot be attached to the node or mounted into the container: wrong host path, sub-path, still held elsewhere, attach limit, storage or driver error."
    }
    ContainerConfigCauseUnseen {
        "container-config-cause-unseen", Reference, Partly,
        en: "The kubelet cannot put the container configuration together and the input does not contain the text that says which reference or rule failed.",
        zh: "The kubelet cannot put the container configuration together and the input does not contain the text that says which reference or rule failed."
    }
    CommandNotFound {
        "command-not-found", Command, Partly,
        en: "The command to run does not exist in the image under that name, or there is no command at all.",
        zh: "The command to run does not exist in the image under that name, or there is no command at all."
    }
    CommandSyntaxError {
        "command-syntax-error", Command, Partly,
        en: "The shell cannot parse the script given as command, or the program refuses its arguments.",
        zh: "The shell cannot parse the script given as command, or the program refuses its arguments."
    }
    PermissionDenied {
        "permission-denied", Permission, Partly,
        en: "The system refuses the program something: execute bit, file, port below 1024, capability or a system call blocked by seccomp.",
        zh: "The system refuses the program something: execute bit, file, port below 1024, capability or a system call blocked by seccomp."
    }
    RunAsNonrootViolation {
        "run-as-nonroot-violation", Permission, Partly,
        en: "The pod demands a non-root user but the image or the spec would run as root or as a user that cannot be checked.",
        zh: "The pod demands a non-root user but the image or the spec would run as root or as a user that cannot be checked."
    }
    AppError {
        "app-error", App, No,
        en: "The program ended itself with a general failure code (1, 2, 101, 255), and the reason is in its own log.",
        zh: "The program ended itself with a general failure code (1, 2, 101, 255), and the reason is in its own log."
    }
    AppDefinedCode {
        "app-defined-code", App, No,
        en: "The program ended itself with a code that has a meaning only in its own manual (3 to 125 and the like).",
        zh: "The program ended itself with a code that has a meaning only in its own manual (3 to 125 and the like)."
    }
    AppNativeCrash {
        "app-native-crash", App, No,
        en: "The program was ended by a fault of its own machine code: segmentation fault, abort, illegal instruction, bus error, arithmetic trap.",
        zh: "The program was ended by a fault of its own machine code: segmentation fault, abort, illegal instruction, bus error, arithmetic trap."
    }
    LanguageHeapExhausted {
        "language-heap-exhausted", App, Partly,
        en: "The language runtime reached its own heap limit and gave up, without a kernel kill.",
        zh: "The language runtime reached its own heap limit and gave up, without a kernel kill."
    }
    AppConfigError {
        "app-config-error", App, Partly,
        en: "A file, environment variable or certificate that the program needs is absent, not there yet, expired or not acceptable to it.",
        zh: "A file, environment variable or certificate that the program needs is absent, not there yet, expired or not acceptable to it."
    }
    DependencyUnavailable {
        "dependency-unavailable", App, No,
        en: "Another service that the program needs (database, API server, leader-election lease, cluster peer) does not answer or is not ready.",
        zh: "Another service that the program needs (database, API server, leader-election lease, cluster peer) does not answer or is not ready."
    }
    CompletedButRestarted {
        "completed-but-restarted", App, Partly,
        en: "The program finished with code 0, but the restart policy starts it again each time.",
        zh: "The program finished with code 0, but the restart policy starts it again each time."
    }
    OomContainerLimit {
        "oom-container-limit", Memory, Partly,
        en: "The kernel killed the container because it used more memory than its own limit.",
        zh: "The kernel killed the container because it used more memory than its own limit."
    }
    OomPodLimit {
        "oom-pod-limit", Memory, Partly,
        en: "The kernel killed a process because the pod, or a group above it, reached its memory limit while the container was within its own.",
        zh: "The kernel killed a process because the pod, or a group above it, reached its memory limit while the container was within its own."
    }
    OomNode {
        "oom-node", Memory, Partly,
        en: "The node as a whole ran out of memory and the kernel chose this container as the victim.",
        zh: "The node as a whole ran out of memory and the kernel chose this container as the victim."
    }
    OomChildProcess {
        "oom-child-process", Memory, Partly,
        en: "The kernel killed a child process in the container for memory; the main process was not killed and ended by itself or ran on.",
        zh: "The kernel killed a child process in the container for memory; the main process was not killed and ended by itself or ran on."
    }
    OomUnattributed {
        "oom-unattributed", Memory, No,
        en: "An out-of-memory kill is reported, but the input does not show whether the container, the pod or the node ran out.",
        zh: "An out-of-memory kill is reported, but the input does not show whether the container, the pod or the node ran out."
    }
    OomFlagFalse {
        "oom-flag-false", Memory, No,
        en: "The runtime says OOMKilled, but no kill ended this container; its exit has another cause.",
        zh: "The runtime says OOMKilled, but no kill ended this container; its exit has another cause."
    }
    MemoryLimitBelowStart {
        "memory-limit-below-start", Memory, Yes,
        en: "The memory limit is too small even for the runtime to start the container process.",
        zh: "The memory limit is too small even for the runtime to start the container process."
    }
    ProbeKill {
        "probe-kill", Stop, Partly,
        en: "The kubelet stopped the container because its liveness or startup probe failed too often.",
        zh: "The kubelet stopped the container because its liveness or startup probe failed too often."
    }
    StopGraceExceeded {
        "stop-grace-exceeded", Stop, Partly,
        en: "The container was asked to stop, but the process or its preStop hook was not done when the grace period ended, so it was killed.",
        zh: "The container was asked to stop, but the process or its preStop hook was not done when the grace period ended, so it was killed."
    }
    EvictedOnRequest {
        "evicted-on-request", Stop, No,
        en: "The pod was removed on purpose: drain, eviction API, descheduler, autoscaler or a NoExecute taint.",
        zh: "The pod was removed on purpose: drain, eviction API, descheduler, autoscaler or a NoExecute taint."
    }
    Preempted {
        "preempted", Stop, Partly,
        en: "The pod had to make room for a pod of higher priority.",
        zh: "The pod had to make room for a pod of higher priority."
    }
    DeadlineExceeded {
        "deadline-exceeded", Stop, Partly,
        en: "The pod ran longer than its activeDeadlineSeconds allow.",
        zh: "The pod ran longer than its activeDeadlineSeconds allow."
    }
    RestartAllRule {
        "restart-all-rule", Stop, Partly,
        en: "A restart rule in the pod spec restarted all its containers after one of them ended.",
        zh: "A restart rule in the pod spec restarted all its containers after one of them ended."
    }
    KilledExternally {
        "killed-externally", Stop, No,
        en: "Something outside Kubernetes and the kernel memory killer ended the process: runtime tool, security agent, user-space memory daemon, a person.",
        zh: "Something outside Kubernetes and the kernel memory killer ended the process: runtime tool, security agent, user-space memory daemon, a person."
    }
    KillerUnknown {
        "killer-unknown", Stop, No,
        en: "The process was ended by a kill or stop signal and the input does not show who sent it.",
        zh: "The process was ended by a kill or stop signal and the input does not show who sent it."
    }
    ContainerRecordLost {
        "container-record-lost", Stop, No,
        en: "The kubelet could no longer find the container and wrote a placeholder; the code 137 was observed by nobody and the real end is not recorded.",
        zh: "The kubelet could no longer find the container and wrote a placeholder; the code 137 was observed by nobody and the real end is not recorded."
    }
    NodePressure {
        "node-pressure", Node, Partly,
        en: "The node ran short of memory, disk, inodes or process ids, so the kubelet evicted or refused the pod, or its writes failed.",
        zh: "The node ran short of memory, disk, inodes or process ids, so the kubelet evicted or refused the pod, or its writes failed."
    }
    EvictedOwnStorageLimit {
        "evicted-own-storage-limit", Node, Partly,
        en: "The pod used more local storage than its own limit or the size limit of one of its emptyDir volumes, and was evicted for it.",
        zh: "The pod used more local storage than its own limit or the size limit of one of its emptyDir volumes, and was evicted for it."
    }
    NodeShutdownOrRestart {
        "node-shutdown-or-restart", Node, No,
        en: "The node was shut down or rebooted, or its container runtime restarted, while the pod was on it.",
        zh: "The node was shut down or rebooted, or its container runtime restarted, while the pod was on it."
    }
    NodeUnreachable {
        "node-unreachable", Node, No,
        en: "The control plane lost contact with the node, or the node is gone.",
        zh: "The control plane lost contact with the node, or the node is gone."
    }
    UnschedulableResources {
        "unschedulable-resources", Scheduling, Partly,
        en: "No node has enough free CPU, memory, storage or pod slots for the requests.",
        zh: "No node has enough free CPU, memory, storage or pod slots for the requests."
    }
    UnschedulableDevice {
        "unschedulable-device", Scheduling, Partly,
        en: "No node offers enough free GPUs or other extended resources that the pod requests.",
        zh: "No node offers enough free GPUs or other extended resources that the pod requests."
    }
    UnschedulableNodeSelector {
        "unschedulable-node-selector", Scheduling, Yes,
        en: "No node has the labels that the node selector or required node affinity of the pod asks for.",
        zh: "No node has the labels that the node selector or required node affinity of the pod asks for."
    }
    UnschedulableTaint {
        "unschedulable-taint", Scheduling, Partly,
        en: "Every node that would fit is cordoned or has a taint that the pod does not tolerate.",
        zh: "Every node that would fit is cordoned or has a taint that the pod does not tolerate."
    }
    UnschedulablePlacementRule {
        "unschedulable-placement-rule", Scheduling, Partly,
        en: "Pods or volumes already in place exclude every node: pod affinity, spread rule, host port, volume zone, volume count.",
        zh: "Pods or volumes already in place exclude every node: pod affinity, spread rule, host port, volume zone, volume count."
    }
    SchedulingGated {
        "scheduling-gated", Scheduling, Yes,
        en: "The pod carries scheduling gates that nobody has removed yet.",
        zh: "The pod carries scheduling gates that nobody has removed yet."
    }
    UnschedulableCauseUnseen {
        "unschedulable-cause-unseen", Scheduling, No,
        en: "The pod has not been given a node and the input does not show why.",
        zh: "The pod has not been given a node and the input does not show why."
    }
    AdmissionNodeFull {
        "admission-node-full", Admission, Partly,
        en: "The node chosen for the pod had no room left when the kubelet checked: CPU, memory, storage, pod slots, devices, or a resize that does not fit.",
        zh: "The node chosen for the pod had no room left when the kubelet checked: CPU, memory, storage, pod slots, devices, or a resize that does not fit."
    }
    AdmissionNodeMismatch {
        "admission-node-mismatch", Admission, Partly,
        en: "The node chosen for the pod did not match its selector, name, ports or tolerations when the kubelet checked, for instance after a label change or a kubelet restart.",
        zh: "The node chosen for the pod did not match its selector, name, ports or tolerations when the kubelet checked, for instance after a label change or a kubelet restart."
    }
    AdmissionTopology {
        "admission-topology", Admission, Partly,
        en: "The CPU or NUMA policy of the node cannot give the pod an aligned set of CPUs, memory or devices.",
        zh: "The CPU or NUMA policy of the node cannot give the pod an aligned set of CPUs, memory or devices."
    }
    AdmissionNodeUnsupported {
        "admission-node-unsupported", Admission, Partly,
        en: "The node does not allow or does not know a setting of the pod: sysctl, AppArmor profile, operating system, newer feature.",
        zh: "The node does not allow or does not know a setting of the pod: sysctl, AppArmor profile, operating system, newer feature."
    }
    SandboxFailed {
        "sandbox-failed", Runtime, Partly,
        en: "The pod sandbox cannot be made: network plugin missing, not ready or out of addresses, or runtime handler unknown to the node.",
        zh: "The pod sandbox cannot be made: network plugin missing, not ready or out of addresses, or runtime handler unknown to the node."
    }
    RuntimeFailing {
        "runtime-failing", Runtime, No,
        en: "The container runtime or the kubelet of the node is down or fails inside: damaged image store, earlier attempt still held, time-outs, manager errors.",
        zh: "The container runtime or the kubelet of the node is down or fails inside: damaged image store, earlier attempt still held, time-outs, manager errors."
    }
    ContainerCreateRejected {
        "container-create-rejected", Runtime, Partly,
        en: "The runtime works but refuses the settings of this container: profile not found, device, mount propagation, cgroup value.",
        zh: "The runtime works but refuses the settings of this container: profile not found, device, mount propagation, cgroup value."
    }
    PostStartHookFailed {
        "post-start-hook-failed", Lifecycle, Partly,
        en: "The postStart hook failed, so the kubelet killed the container.",
        zh: "The postStart hook failed, so the kubelet killed the container."
    }
    ReadinessFailing {
        "readiness-failing", Lifecycle, Partly,
        en: "The container runs, but its readiness probe or a readiness gate of the pod is not fulfilled.",
        zh: "The container runs, but its readiness probe or a readiness gate of the pod is not fulfilled."
    }
    InitNotFinished {
        "init-not-finished", Lifecycle, No,
        en: "An init container is still at work, so the main containers wait.",
        zh: "An init container is still at work, so the main containers wait."
    }
    Healthy {
        "healthy", Normal, No,
        en: "All containers run and are ready, and nothing in the input shows a failure.",
        zh: "All containers run and are ready, and nothing in the input shows a failure."
    }
    Starting {
        "starting", Normal, No,
        en: "The pod is still being set up (image, volumes, network, first start) and nothing in the input shows a failure.",
        zh: "The pod is still being set up (image, volumes, network, first start) and nothing in the input shows a failure."
    }
    Completed {
        "completed", Normal, No,
        en: "The pod did its work and ended with code 0, as its restart policy expects.",
        zh: "The pod did its work and ended with code 0, as its restart policy expects."
    }
    Terminating {
        "terminating", Normal, No,
        en: "Deletion was requested and the pod is still ending: grace period, finalizers, unmounting.",
        zh: "Deletion was requested and the pod is still ending: grace period, finalizers, unmounting."
    }
    Unknown {
        "unknown", Unknown, No,
        en: "The cause cannot be told from this input.",
        zh: "The cause cannot be told from this input."
    }
}
