//! What the matchers share.

pub(super) use crate::candidate::{Candidate, Level, say};
pub(super) use crate::case::{Case, event_quote};
pub(super) use crate::container::{Container, End, NOT_YET, Role};
pub(super) use crate::explanation::Confidence::{High, Low, Medium};
pub(super) use crate::explanation::{Source, Step};
pub(super) use crate::killer::Verdict;
pub(super) use crate::quote::Quote;
pub(super) use crate::scheduler::{all_nodes, reasons, rivalled, scheduler_text, scheduling, weigh};
pub(super) use crate::view::View as _;
pub(super) use podsight_cause::{Cause, Lang};

/// A text of the input inside a sentence: one line, at most 160 characters.
pub(super) fn shown(text: &str) -> String {
    crate::quote::bounded(&text.split_whitespace().collect::<Vec<_>>().join(" "), 160)
}

/// The name of a container in a sentence; a piece of a pod may have none.
pub(super) fn named(case: &Case<'_>, container: &Container<'_>) -> String {
    let name = shown(container.name);
    if name.is_empty() { say!(case, "the container", "容器") } else { name }
}

/// The image of a container in a sentence; a piece of a pod may not name it.
pub(super) fn image_of(case: &Case<'_>, container: &Container<'_>) -> String {
    let image = shown(container.image());
    if image.is_empty() { say!(case, "its image", "它的镜像") } else { image }
}

/// An end of a container that a verdict was given for.
pub(super) struct Killed<'c, 'a> {
    pub(super) container: &'c Container<'a>,
    pub(super) end: &'c End<'a>,
    pub(super) verdict: Verdict,
}

/// The ends whose verdict is this cause, each with a candidate that has verdict and end in it.
pub(super) fn killed<'c, 'a>(case: &'c Case<'a>, killer: Cause) -> Vec<(Killed<'c, 'a>, Candidate)> {
    case.verdicts()
        .iter()
        .filter(|(_, verdict)| verdict.cause == killer)
        .filter_map(|(rank, verdict)| {
            let (_, container) = case.troubled().nth(*rank)?;
            let end = container.end()?;
            let candidate = case
                .candidate(killer, Level::Container(*rank), verdict.weight, verdict.confidence)
                .of(container)
                .end(end)
                .facts(verdict.evidence.clone())
                .killer();
            Some((Killed { container, end, verdict: verdict.clone() }, candidate))
        })
        .collect()
}

/// The name in `configmap "name" not found` and its plural.
pub(super) fn missing_object(quote: &Quote, kind: &str) -> Option<String> {
    [format!("{kind} \""), format!("{kind}s \"")].iter().find_map(|start| {
        let name = quote.between(start, "\"")?;
        let absent = quote.has(&[&format!("\"{}\" not found", name.to_lowercase())]);
        absent.then(|| name.to_owned())
    })
}

/// ` in namespace x`, where it is known.
pub(super) fn place(case: &Case<'_>) -> String {
    let namespace = shown(case.pod.namespace);
    if namespace.is_empty() { String::new() } else { say!(case, " in namespace {namespace}", "（命名空间 {namespace}）") }
}

/// What a container's environment refers to, with their pointers.
pub(super) fn references(container: &Container<'_>) -> Vec<(String, String)> {
    let mut references = Vec::new();
    let base = &container.spec_pointer;
    for (place, source) in container.spec.list("envFrom").iter().enumerate() {
        for (key, kind) in [("configMapRef", "ConfigMap"), ("secretRef", "Secret")] {
            let name = source.get_or_null(key).text("name");
            if !name.is_empty() {
                references.push((format!("{base}/envFrom/{place}/{key}"), shown(&format!("{kind} {name}"))));
            }
        }
    }
    for (place, variable) in container.spec.list("env").iter().enumerate() {
        for (key, kind) in [("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")] {
            let source = variable.get_or_null("valueFrom").get_or_null(key);
            if !source.text("name").is_empty() {
                references.push((
                    format!("{base}/env/{place}/valueFrom/{key}"),
                    shown(&format!("{kind} {} key {}", source.text("name"), source.text("key"))),
                ));
            }
        }
    }
    references
}

/// Whether the runtime could not find itself: its binary, or the log that it leaves where it came as far as an error of its own
/// (`containerd: getRuntimeError`).
pub(super) fn runtime_missing(quote: &Quote) -> bool {
    let program = quote.between("exec: \"", "\"").map(|path| path.rsplit('/').next().unwrap_or_default().to_lowercase());
    let runtimes = ["runc", "crun", "runsc", "youki", "kata-runtime", "nvidia-container-runtime", "conmon", "containerd-shim-runc-v2"];
    let absent = quote.has(&["not found", "no such file"]);
    (absent && program.is_some_and(|program| runtimes.contains(&program.as_str()))) || quote.has(&["log.json: no such file"])
}

/// The program that a runtime was to execute, as runc, crun and CRI-O name it; CRI-O hands runc's quotes on with their backslashes.
pub(super) fn program_of(quote: &Quote) -> Option<&str> {
    [("exec: \\\"", "\\\""), ("exec: \"", "\""), ("executable file `", "`"), ("exec: `", "`"), ("executable \"", "\"")]
        .iter()
        .find_map(|(start, end)| quote.between(start, end))
        .filter(|name| !name.is_empty())
}

/// The script of `sh -c …`, with its pointer.
pub(super) fn shell_script<'a>(container: &Container<'a>) -> Option<(String, &'a str)> {
    let words = ["command", "args"].into_iter().flat_map(|list| {
        let texts = container.spec.list(list).iter().enumerate();
        texts.filter_map(move |(place, word)| Some((format!("{}/{list}/{place}", container.spec_pointer), word.as_str()?)))
    });
    let mut words =
        words.skip_while(|(_, word)| !["sh", "bash", "ash", "dash", "zsh"].contains(&word.rsplit('/').next().unwrap_or_default()));
    words.next()?;
    let mut words = words.skip_while(|(_, word)| word.starts_with('-') && !word.ends_with('c'));
    words.next().filter(|(_, flag)| flag.starts_with('-'))?;
    words.next()
}

/// What a probe got to hear: the words after `… probe failed:`, without the count of the event.
pub(super) fn probe_answer(text: &str) -> Option<String> {
    let (_, said) = text.split_once(" probe failed:").or_else(|| text.split_once(" probe errored:"))?;
    let said = said.rsplit_once(" (x").map_or(said, |(said, _)| said);
    Some(shown(said.trim().trim_end_matches('.'))).filter(|said| !said.is_empty())
}

/// The last line that says something.
pub(super) fn last_line(message: &str) -> String {
    message.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(shown).unwrap_or_default()
}

/// What a program says last of its failure: the line that names a panic or an exception, where a trace follows it, or else the last line.
pub(super) fn last_words(message: &str) -> String {
    let mut lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    while let Some(line) = lines.next() {
        if line.starts_with("panic: ") || line.starts_with("fatal error: ") || line.starts_with("Exception in thread ") {
            return shown(line);
        }
        // Rust names the place in one line and says the rest in the next.
        if line.starts_with("thread '") && line.contains("panicked at") {
            let rest = lines.next().filter(|_| line.ends_with(':')).unwrap_or_default();
            return shown(&format!("{line} {rest}"));
        }
    }
    let traces = ["at ", "... ", "goroutine ", "note: run with `RUST_BACKTRACE"];
    let told = message.lines().rev().map(str::trim).find(|line| !line.is_empty() && !traces.iter().any(|start| line.starts_with(start)));
    told.map_or_else(|| last_line(message), shown)
}

/// The line that holds one of these texts, which are in lower case.
pub(super) fn telling_line(text: &str, needles: &[&str]) -> String {
    let line = text.lines().rev().find(|line| {
        let lower = line.to_lowercase();
        needles.iter().any(|needle| lower.contains(needle))
    });
    shown(line.unwrap_or(text))
}

/// The host of an image reference; Docker Hub where it names none (`distribution/reference: splitDockerDomain`).
pub(super) fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    }
}

pub(super) fn service_account<'a>(case: &Case<'a>) -> &'a str {
    let name = case.pod.spec.text("serviceAccountName");
    if name.is_empty() { "default" } else { name }
}

/// What becomes of a pod that its node refused or ended.
pub(super) fn left_over(case: &Case<'_>) -> String {
    if case.owner().is_some() {
        say!(case, "The controller makes a new pod; this one is a left-over.", "控制器会新建 Pod，这一个只是残留。")
    } else if case.pod.uid.is_empty() {
        // A piece of a pod may have lost its owner.
        say!(
            case,
            "Its controller, if it has one, makes a new pod; this one is a left-over.",
            "如果有控制器，它会新建 Pod；这一个只是残留。"
        )
    } else {
        say!(
            case,
            "It has no controller, so nothing makes a new one: create it again.",
            "它没有控制器，不会有新的 Pod 代替：需要重新创建。"
        )
    }
}

/// Deletes it.
pub(super) fn remove_left_over(case: &Case<'_>) -> Option<Step> {
    let why = if case.owner().is_some() {
        say!(case, "Removes the left-over; its controller makes another.", "删除残留的 Pod；其控制器会另建一个。")
    } else {
        say!(case, "Makes room for a new one of the same name.", "腾出名字，以便重新创建。")
    };
    case.change(&["delete", "pod", case.pod.name], why)
}

/// ` worker-1`, where the node is known; in Chinese with a blank behind it, too.
pub(super) fn node_name(case: &Case<'_>) -> String {
    let name = shown(case.pod.node);
    match case.lang {
        _ if name.is_empty() => String::new(),
        Lang::En => format!(" {name}"),
        // A blank stands between Chinese and other letters.
        Lang::Zh => format!(" {name} "),
    }
}

pub(super) fn node_step(case: &Case<'_>) -> Option<Step> {
    case.read_cluster(
        &["get", "node", case.pod.node, "-o", "wide"],
        say!(case, "Shows the state and addresses of the node.", "显示节点的状态和地址。"),
    )
}

/// The kernel's own record, where the agent has written it.
pub(super) fn agent_evidence(case: &Case<'_>) -> Option<Step> {
    case.read(
        &["get", "pod", case.pod.name, "-o", r"jsonpath={.metadata.annotations.podsight\.dev/oom-killed}"],
        say!(case, "Shows the kernel's own record, where podsight's agent runs on the node; otherwise give the node's kernel log with --kernel-log.", "显示内核自己的记录（节点上需运行 podsight 代理）；否则可用 --kernel-log 提供节点的内核日志。"),
    )
}

/// A quantity of memory in bytes.
pub(super) fn bytes(quantity: &str) -> Option<i64> {
    podsight_spec::Quantity::parse(quantity).ok().map(podsight_spec::Quantity::value)
}
