//! `app-defined-code`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container, end) in case.exited() {
        let Some(code) = end.code else { continue };
        if end.oom_killed() || !matches!(code, 3..=100 | 102..=125 | 128 | 141 | 160 | 161 | 193..=254) {
            continue;
        }
        let name = shown(container.name);
        let kind = crate::exit_code::name(code, case.lang);
        let mut candidate = case.candidate(Cause::AppDefinedCode, Level::Container(rank), 40, Medium).of(container).end(end);
        let last = last_line(end.message);
        if !last.is_empty() {
            candidate = candidate.fact(Case::fact(format!("{}/message", end.pointer), shown(end.message)));
        }
        if let Some((pointer, script)) = shell_script(container).filter(|(_, script)| script.contains(&format!("exit {code}"))) {
            candidate = candidate.fact(Case::fact(pointer, shown(script)));
        }
        let code_text = code.to_string();
        let words = if last.is_empty() { String::new() } else { say!(case, " Its last words: {last}", "它最后的输出：{last}") };
        found.push(
            candidate
                .say(say!(
                    case,
                    "The program in {name} ended itself with {code} ({kind}): a code that only its own manual explains.{words}",
                    "{name} 中的程序自行以 {code}（{kind}）退出：这个码只有它自己的手册能解释。{words}"
                ))
                .step(case.logs(
                    container,
                    say!(case, "Look in the log for the place that ends with {code_text}.", "在日志中查找以 {code_text} 结束之处。"),
                )),
        );
    }
}
