//! `app-error`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container, end) in case.exited() {
        if !matches!(end.code, Some(1 | 2 | 101 | 255 | 4_294_967_295)) || end.oom_killed() {
            continue;
        }
        let code = end.code.unwrap_or_default();
        let name = named(case, container);
        let kind = crate::exit_code::name(code, case.lang);
        let mut candidate = case.candidate(Cause::AppError, Level::Container(rank), 40, Medium).of(container).end(end);
        let life =
            end.life().map(crate::status::human_duration).map_or_else(String::new, |life| say!(case, " after {life}", "，运行了 {life}"));
        let last = last_words(end.message);
        let mut summary = say!(
            case,
            "The program in {name} ended itself with {code} ({kind}){life}. The reason is in its own log.",
            "{name} 中的程序自行以 {code}（{kind}）退出{life}。原因在它自己的日志里。"
        );
        if !last.is_empty() {
            summary = say!(
                case,
                "The program in {name} ended itself with {code} ({kind}){life}. Its last words: {last}",
                "{name} 中的程序自行以 {code}（{kind}）退出{life}。它最后的输出：{last}"
            );
            candidate = candidate.fact(Case::fact(format!("{}/message", end.pointer), shown(end.message)));
        }
        if let Some((pointer, script)) = shell_script(container).filter(|(_, script)| script.contains(&format!("exit {code}"))) {
            candidate = candidate.fact(Case::fact(pointer, shown(script)));
            if last.is_empty() {
                summary = say!(
                    case,
                    "The script in the spec of {name} itself says `exit {code}`{life}.",
                    "{name} 规约中的脚本自己写了“exit {code}”{life}。"
                );
            }
        }
        found.push(candidate.say(summary).step(case.logs(
            container,
            say!(
                case,
                "The last lines say what went wrong; the code {code} does not.",
                "最后几行会说明出了什么错；退出码 {code} 本身并不说明。"
            ),
        )));
    }
}
