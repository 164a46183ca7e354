//! `sandbox-failed`

use super::prelude::*;

const SAYS: [&str; 11] = [
    "failed to \"createpodsandbox\"",
    "failedcreatepodsandbox",
    "failed to create pod sandbox",
    "failed to setup network for sandbox",
    "network is not ready",
    "networkpluginnotready",
    "cni plugin not initialized",
    "network plugin is not ready",
    "failed to get sandbox runtime",
    "no runtime for \"",
    "runtimehandler \"",
];

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let waits = case.pod.containers.iter().find(|container| matches!(container.waiting, "NetworkPluginNotReady" | "DockerDaemonNotReady"));
    let raw_reason = case.pod.containers.iter().any(|container| container.waiting.contains(' '));
    if !case.setting_up() && waits.is_none() && !raw_reason {
        return;
    }
    // A sandbox that could not be made is now and then the waiting reason itself, in the words of the kubelet.
    let raw =
        || case.troubled().filter(|(_, container)| container.waiting.contains(' ')).find_map(|(_, container)| case.text(container, &SAYS));
    let quote = case.pod_text(&SAYS).or_else(raw);
    if quote.is_none() && waits.is_none() {
        return;
    }
    // The runtime itself, or the disk, may be what fails: their own files weigh more.
    let node = node_name(case);
    let said = |needles: &[&str]| quote.is_some_and(|quote| quote.has(needles));
    let summary = if said(&["no runtime for", "runtimehandler", "runtime handler", "sandbox runtime"]) {
        let class = shown(case.pod.spec.text("runtimeClassName"));
        say!(
            case,
            "The node{node} does not know the runtime handler of RuntimeClass {class}.",
            "节点{node}不认识 RuntimeClass {class} 的 runtime handler。"
        )
    } else if said(&["failed to get sandbox image", "pull sandbox image"]) {
        let image = quote.and_then(|quote| quote.between("sandbox image \"", "\"")).map(shown).unwrap_or_default();
        say!(
            case,
            "The node{node} cannot pull the image of the sandbox itself ({image}), which every pod needs: its registry cannot be reached from the node, or the runtime is set to a wrong one.",
            "节点{node}拉取不到每个 Pod 都需要的沙箱镜像（{image}）：节点连不上它的仓库，或运行时配置的镜像有误。"
        )
    } else if said(&[
        "assign an ip",
        "no ip addresses",
        "no available ip",
        "ip address",
        "insufficientfreeaddresses",
        "range full",
        "no more ips",
    ]) {
        say!(case, "The network plugin on the node{node} has no address left for the pod.", "节点{node}上的网络插件已没有可分配的地址。")
    } else if let Some((plugin, words)) = quote.and_then(plugin) {
        say!(
            case,
            "The sandbox of the pod cannot be made on the node{node}: its network plugin {plugin} fails: {words}",
            "节点{node}无法创建 Pod 沙箱：网络插件 {plugin} 出错：{words}"
        )
    } else {
        say!(
            case,
            "The sandbox of the pod cannot be made on the node{node}: its network plugin is missing, not ready or failing. Pods with hostNetwork would still start there.",
            "节点{node}无法创建 Pod 沙箱：网络插件缺失、未就绪或出错。使用 hostNetwork 的 Pod 仍能在该节点启动。"
        )
    };
    let mut candidate = case.candidate(Cause::SandboxFailed, Level::Container(0), 88, High).of_some(case.only_container());
    if let Some(quote) = quote {
        candidate = candidate.quote(quote);
    }
    if let Some(container) = waits {
        candidate = candidate.fact(Case::fact(format!("{}/state/waiting/reason", container.status_pointer), container.waiting));
    }
    let on_node = format!("spec.nodeName={}", case.pod.node);
    found.push(
        candidate
            .say(summary)
            .step(
                case.read_cluster(
                    &["get", "pods", "-n", "kube-system", "--field-selector", &on_node, "-o", "wide"],
                    say!(case, "Shows whether the network plugin's pod runs on that node.", "查看网络插件的 Pod 在该节点上是否正常。"),
                )
                .filter(|_| !case.pod.node.is_empty()),
            )
            .step(case.read_cluster(
                &["get", "node", case.pod.node, "-o", "jsonpath={.status.conditions[?(@.type==\"Ready\")].message}"],
                say!(case, "Says whether the node as a whole lacks its network.", "说明是否整个节点都没有网络。"),
            )),
    );
}

/// The network plugin that failed, and its words: `plugin type="calico" failed (add): …` (`containernetworking/cni: libcni`).
fn plugin(quote: &Quote) -> Option<(String, String)> {
    let plugin = quote.between("plugin type=\"", "\"").filter(|plugin| !plugin.is_empty())?;
    let words = quote.between("failed (add): ", "").filter(|words| !words.is_empty())?;
    let words = words.rsplit_once(" (x").map_or(words, |(words, _)| words);
    Some((shown(plugin), shown(words)))
}
