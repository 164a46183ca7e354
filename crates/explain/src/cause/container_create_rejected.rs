//! `container-create-rejected`

use super::prelude::*;

/// What the runtimes say of a user or group that the image lacks.
const NO_USER: [&str; 5] = ["unable to find user", "unable to find group", "no users found", "no matching entries in", "no such user"];

const SAYS: [&str; 18] = [
    "nvidia-container-cli",
    "hook #",
    "apparmor",
    "seccomp",
    "is not a shared mount",
    "shared or slave mount",
    "gathering device information",
    "error gathering device",
    "setting cgroup config",
    "invalid argument",
    "error mounting",
    "operation not permitted",
    "rrounsupported",
    "unresolvable cdi devices",
    "capability",
    "sysctl",
    "linux capabilities",
    "selinux",
];

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container) in case.starting() {
        let quote = case.text(container, &NO_USER).or_else(|| case.text(container, &SAYS));
        let text = case.texts(container).first();
        let (name, node) = (named(case, container), node_name(case));
        let mut candidate = match (quote, text) {
            (Some(quote), _) => case.candidate(Cause::ContainerCreateRejected, Level::Container(rank), 84, High).quote(quote),
            (None, Some(quote)) => case.candidate(Cause::ContainerCreateRejected, Level::Container(rank), 45, Low).quote(quote),
            (None, None) => case.candidate(Cause::ContainerCreateRejected, Level::Container(rank), 30, Low).against(say!(
                case,
                "The runtime's own words are missing; a command that does not exist looks the same.",
                "缺少运行时的原话；命令不存在也是同样的现象。"
            )),
        };
        if let Some(end) = container.end() {
            candidate = candidate.end(end);
        }
        let what = match quote {
            Some(quote) if quote.has(&NO_USER) => {
                let line = telling_line(&quote.text, &NO_USER);
                say!(
                    case,
                    "the user or group that it is to run as is not in the image ({line}); a number needs no entry there",
                    "镜像中没有它要使用的用户或组（{line}）；改用数字则无需该条目"
                )
            }
            Some(quote) if quote.has(&["apparmor", "seccomp", "selinux"]) => {
                let profile = profile(case, container);
                say!(
                    case,
                    "the security profile{profile} is not on the node{node} or cannot be applied",
                    "安全配置文件{profile} 不在节点{node}上，或无法应用"
                )
            }
            Some(quote) if quote.has(&["shared mount", "slave mount", "error mounting"]) => {
                say!(case, "a mount or its propagation is not possible there", "挂载或其传播方式无法实现")
            }
            Some(quote) if quote.has(&["nvidia-container-cli"]) => {
                say!(case, "the GPU's driver or its library is not there", "GPU 驱动或其库不存在")
            }
            Some(quote) if quote.has(&["hook #"]) => say!(case, "a hook of the runtime failed", "运行时的某个钩子失败"),
            Some(quote) if quote.has(&["device"]) => say!(case, "a device is not there", "设备不存在"),
            Some(quote) if quote.has(&["cgroup", "invalid argument"]) => {
                say!(case, "a resource value cannot be set on the cgroup", "某个资源值无法写入 cgroup")
            }
            Some(_) => say!(case, "one of its settings is not accepted", "它的某项设置不被接受"),
            None => {
                let said = text.map(|quote| shown(&quote.text)).unwrap_or_default();
                let words = if said.is_empty() { say!(case, "why is not in this input", "输入中没有说明原因") } else { said };
                say!(case, "{words}", "{words}")
            }
        };
        found.push(
            candidate
                .of(container)
                .say(say!(
                    case,
                    "The runtime works but refuses to make or start {name}: {what}.",
                    "运行时工作正常，但拒绝创建或启动 {name}：{what}。"
                ))
                .step(case.read(
                    &[
                        "get",
                        "pod",
                        case.pod.name,
                        "-o",
                        "jsonpath={.spec.containers[*].securityContext} {.spec.containers[*].volumeMounts} {.spec.containers[*].resources}",
                    ],
                    say!(case, "Shows the settings to compare with the runtime's words.", "显示各项设置，与运行时的报错对照。"),
                )),
        );
    }
}

/// The name of the container's own profile, or the pod's.
fn profile(case: &Case<'_>, container: &Container<'_>) -> String {
    let contexts = [container.spec.get_or_null("securityContext"), case.pod.spec.get_or_null("securityContext")];
    let name = contexts
        .iter()
        .flat_map(|context| ["seccompProfile", "appArmorProfile"].map(|key| context.get_or_null(key).text("localhostProfile")))
        .find(|name| !name.is_empty());
    name.map_or_else(String::new, |name| format!(" `{}`", shown(name)))
}
