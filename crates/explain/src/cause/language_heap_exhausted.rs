//! `language-heap-exhausted`

use super::prelude::*;

const SAYS: [&str; 9] = [
    "javascript heap out of memory",
    "java.lang.outofmemoryerror",
    "outofmemoryerror",
    "runtime: out of memory",
    "memory allocation of",
    "std::bad_alloc",
    "allowed memory size of",
    "memoryerror",
    "system.outofmemoryexception",
];

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container, end) in case.exited() {
        if end.clean() || end.oom_killed() || end.code == Some(137) {
            continue;
        }
        if let Some(code) = end.code.filter(|code| no_memory(*code)) {
            found.push(on_windows(case, rank, container, end, code));
            continue;
        }
        let quote = case.text(container, &SAYS);
        let flag = jvm_exits_on_oom(container).filter(|_| end.code == Some(3));
        if quote.is_none() && flag.is_none() {
            continue;
        }
        let name = named(case, container);
        let mut candidate = case
            .candidate(Cause::LanguageHeapExhausted, Level::Container(rank), 88, if quote.is_some() { High } else { Medium })
            .of(container)
            .end(end);
        if let Some(quote) = quote {
            candidate = candidate.quote(quote);
        }
        if let Some((pointer, text)) = flag {
            candidate = candidate.fact(Case::fact(pointer, shown(&text)));
        }
        if let Some(limit) = container.memory_limit() {
            candidate = candidate.fact(Case::fact(format!("{}/resources/limits/memory", container.spec_pointer), limit));
        }
        found.push(
            candidate
                .say(say!(case, "The language runtime in {name} reached its own heap limit and gave up; the kernel killed nothing. Raise the heap (-Xmx, MaxRAMPercentage, --max-old-space-size) together with the memory limit, or look for the leak.", "{name} 中的语言运行时达到了自己的堆上限而放弃，内核没有杀死任何进程。请把堆（-Xmx、MaxRAMPercentage、--max-old-space-size）与内存上限一起调大，或查找内存泄漏。"))
                .step(case.logs(container, say!(case, "The runtime says which heap was full and how large it was.", "运行时会写明是哪个堆满了、有多大。"))),
        );
    }
}

/// `STATUS_NO_MEMORY` and `STATUS_COMMITMENT_LIMIT`. Windows kills nothing for want of memory: it refuses more, and the program ends itself.
const fn no_memory(code: i64) -> bool {
    matches!(code, -1_073_741_801 | 3_221_225_495 | -1_073_741_523 | 3_221_225_773)
}

fn on_windows(case: &Case<'_>, rank: usize, container: &Container<'_>, end: &End<'_>, code: i64) -> Candidate {
    let (name, kind) = (named(case, container), crate::exit_code::name(code, case.lang));
    let mut candidate = case.candidate(Cause::LanguageHeapExhausted, Level::Container(rank), 80, Medium).of(container).end(end);
    if let Some(limit) = container.written_memory_limit() {
        candidate = candidate.fact(Case::fact(format!("{}/resources/limits/memory", container.spec_pointer), limit));
    }
    candidate
        .against(say!(
            case,
            "The code does not tell the limit of the container from the page file of the node.",
            "这个码无法区分是容器的上限还是节点的页面文件用尽。"
        ))
        .say(say!(case, "Windows refused the program in {name} more memory ({kind}), and it gave up: the limit of the container or the page file of the node was reached. Windows kills nothing for memory.", "Windows 拒绝再给 {name} 中的程序分配内存（{kind}），程序因此退出：达到了容器的上限，或节点的页面文件已用尽。Windows 不会因内存杀死进程。"))
        .step(case.logs(container, say!(case, "Shows what it was doing when memory ran out.", "查看内存用尽时它在做什么。")))
        .step(case.read_cluster(
            &["describe", "node", case.pod.node],
            say!(case, "Shows the memory of the node and what its pods request.", "查看节点的内存及其 Pod 的请求量。"),
        ))
}

/// `-XX:+ExitOnOutOfMemoryError` in the command or the environment.
fn jvm_exits_on_oom(container: &Container<'_>) -> Option<(String, String)> {
    let flag = "ExitOnOutOfMemoryError";
    let words = container.command_line();
    if words.iter().any(|word| word.contains(flag)) {
        return Some((format!("{}/command", container.spec_pointer), words.join(" ")));
    }
    let (place, variable) = container.spec.list("env").iter().enumerate().find(|(_, variable)| variable.text("value").contains(flag))?;
    Some((format!("{}/env/{place}/value", container.spec_pointer), variable.text("value").to_owned()))
}
