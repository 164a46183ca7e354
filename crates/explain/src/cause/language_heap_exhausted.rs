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
        let quote = case.text(container, &SAYS);
        let flag = jvm_exits_on_oom(container).filter(|_| end.code == Some(3));
        if quote.is_none() && flag.is_none() {
            continue;
        }
        let name = shown(container.name);
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
