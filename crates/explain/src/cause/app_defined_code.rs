//! `app-defined-code`

use super::prelude::*;
use crate::exit_code::Signal;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container, end) in case.exited() {
        let Some(code) = end.code else { continue };
        let signal = crate::exit_code::signal(code);
        let own = match signal {
            Some(signal) => nobodys(signal) && !crate::killer::stop_signal(container, end),
            // What does not fit into a byte is a code of Windows.
            None => matches!(code, 3..=100 | 102..=125 | 128 | 193..=254) || windows(code),
        };
        if end.oom_killed() || !own {
            continue;
        }
        let name = named(case, container);
        let kind = crate::exit_code::name(code, case.lang);
        let mut candidate = case.candidate(Cause::AppDefinedCode, Level::Container(rank), 40, Medium).of(container).end(end);
        let last = last_words(end.message);
        if !last.is_empty() {
            candidate = candidate.fact(Case::fact(format!("{}/message", end.pointer), shown(end.message)));
        }
        if let Some((pointer, script)) = shell_script(container).filter(|(_, script)| script.contains(&format!("exit {code}"))) {
            candidate = candidate.fact(Case::fact(pointer, shown(script)));
        }
        let code_text = code.to_string();
        let words = if last.is_empty() { String::new() } else { say!(case, " Its last words: {last}", "它最后的输出：{last}") };
        let log = case.logs(
            container,
            say!(case, "Look in the log for the place that ends with {code_text}.", "在日志中查找以 {code_text} 结束之处。"),
        );
        let Some(signal) = signal else {
            found.push(
                candidate
                    .say(say!(
                        case,
                        "The program in {name} ended itself with {code} ({kind}): a code that only its own manual explains.{words}",
                        "{name} 中的程序自行以 {code}（{kind}）退出：这个码只有它自己的手册能解释。{words}"
                    ))
                    .step(log),
            );
            continue;
        };
        found.push(
            candidate
                .against(say!(
                    case,
                    "A shell also ends with {code} when only its child was ended by {kind}, and a program may end with {code} by itself.",
                    "只有子进程被 {kind} 终止时，shell 也会以 {code} 结束；程序也可以自己以 {code} 退出。"
                ))
                .say(signalled(case, &name, signal, &words))
                .step(log)
                .step(sender(case, container, signal)),
        );
    }
}

/// Signals that come from the program itself or from something beside it. KILL, TERM, HUP, INT and QUIT are sent by others, faults of native
/// code and of system calls have causes of their own.
const fn nobodys(signal: Signal) -> bool {
    !matches!(signal.number, 1..=9 | 11 | 15 | 31)
}

/// Codes that no process of Linux has, and that have no cause of their own. The -1 of CRI-O is no code at all.
fn windows(code: i64) -> bool {
    let known = [0xC000_0005, 0xC000_0017, 0xC000_001D, 0xC000_0022, 0xC000_0094, 0xC000_00FD, 0xC000_012D, 0xC000_0135, 0xC000_0139];
    let others = [0xC000_013A, 0xC000_0374, 0xC000_0409, 0x8007_0002, 0x8007_0005, 0xFFFF_FFFF];
    !(0..=255).contains(&code) && !known.iter().chain(&others).any(|known| *known == code & 0xFFFF_FFFF)
}

fn signalled(case: &Case<'_>, name: &str, signal: Signal, words: &str) -> String {
    let Signal { number, name: kind } = signal;
    let code = 128 + i64::from(number);
    if matches!(number, 32 | 33) {
        return say!(
            case,
            "The program in {name} ended itself with {code}: the C library keeps the signal of that number ({kind}) for its threads, so only the program's own manual explains the code.{words}",
            "{name} 中的程序自行以 {code} 退出：该编号的信号（{kind}）由 C 库留给线程使用，所以这个码只有程序自己的手册能解释。{words}"
        );
    }
    if !signal.ends_by_default() {
        return say!(
            case,
            "The program in {name} ended itself with {code}. By its number that is {kind}, which ends no process: only the program's own manual explains the code.{words}",
            "{name} 中的程序自行以 {code} 退出。按编号这是 {kind}，但该信号不会结束进程：这个码只有程序自己的手册能解释。{words}"
        );
    }
    match number {
        13 => say!(
            case,
            "The program in {name} was ended by {kind} ({code}): it wrote into a pipe or socket that nobody reads any more. That comes from the program or script itself; Kubernetes does not send it.{words}",
            "{name} 中的程序被 {kind} 终止（{code}）：它向已无人读取的管道或套接字写入。这出自程序或脚本自身，Kubernetes 不会发送它。{words}"
        ),
        14 | 26 | 27 => say!(
            case,
            "The program in {name} was ended by {kind} ({code}): a timer that it had set itself ran out. Kubernetes does not send it.{words}",
            "{name} 中的程序被 {kind} 终止（{code}）：它自己设置的定时器到期了。Kubernetes 不会发送它。{words}"
        ),
        24 | 25 => say!(
            case,
            "The program in {name} was ended by {kind} ({code}): it reached a limit of its own process (ulimit -t for CPU time, ulimit -f for the size of a file), not one of the pod. Kubernetes does not send it.{words}",
            "{name} 中的程序被 {kind} 终止（{code}）：它达到了进程自身的限制（CPU 时间为 ulimit -t，文件大小为 ulimit -f），而不是 Pod 的限制。Kubernetes 不会发送它。{words}"
        ),
        _ => say!(
            case,
            "{name} was killed by {kind} ({code}). Kubernetes does not send it, unless the image or the pod names it as the stop signal: look for who does, in the container or beside it.{words}",
            "{name} 被 {kind} 终止（{code}）。除非镜像或 Pod 把它指定为停止信号，否则 Kubernetes 不会发送它：请在容器内外查找是谁发的。{words}"
        ),
    }
}

/// Where a stop signal would be named, for those that somebody has to send.
fn sender(case: &Case<'_>, container: &Container<'_>, signal: Signal) -> Option<Step> {
    if matches!(signal.number, 13 | 14 | 24..=27 | 32 | 33) || !signal.ends_by_default() {
        return None;
    }
    let path = format!(
        "{{.spec.{1}[?(@.name==\"{0}\")].lifecycle.stopSignal}} {{.status.{2}[?(@.name==\"{0}\")].stopSignal}}",
        container.name,
        container.list(),
        container.status_list()
    );
    case.read(
        &["get", "pod", case.pod.name, "-o", &format!("jsonpath={path}")],
        say!(
            case,
            "Shows the stop signal, where the pod or the image names one (Kubernetes 1.33 and later): if it is this one, the end was an ordinary stop.",
            "显示 Pod 或镜像指定的停止信号（Kubernetes 1.33 起）：如果就是它，那么这只是一次普通停止。"
        ),
    )
    .filter(|_| !container.name.is_empty())
}
