//! `command-syntax-error`

use super::prelude::*;

const SAYS: [&str; 19] = [
    "syntax error",
    "unexpected end of file",
    "unterminated quoted string",
    "unexpected eof while looking for matching",
    "unknown flag",
    "unknown shorthand flag",
    "unrecognized arguments",
    "unrecognized option",
    "flag provided but not defined",
    "illegal option",
    "invalid option",
    "unknown option",
    "unknown command",
    "error: the following arguments are required",
    "unrecognized vm option",
    "could not create the java virtual machine",
    "illegal number",
    "requires an argument",
    "illegal value for flag",
];

/// The first of them are words of shells.
const SCRIPT: usize = 4;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container, end) in case.exited() {
        if end.clean() || end.oom_killed() || end.code.is_some_and(|code| code > 128 && code != 255) {
            continue;
        }
        if let Some(quote) = case.text(container, &SAYS) {
            let line = telling_line(&quote.text, &SAYS);
            let summary = if quote.has(&SAYS[..SCRIPT]) {
                say!(case, "The shell cannot parse its script: {line}", "shell 无法解析脚本：{line}")
            } else {
                say!(case, "The program refuses its arguments: {line}", "程序不接受所给的参数：{line}")
            };
            found.push(
                case.candidate(Cause::CommandSyntaxError, Level::Container(rank), 82, Medium)
                    .of(container)
                    .end(end)
                    .quote(quote)
                    .say(summary)
                    .step(spec_of(case, container)),
            );
            continue;
        }
        let script = shell_script(container);
        if let Some(((pointer, script), fault)) =
            script.and_then(|(pointer, script)| Some(((pointer, script), crate::script::fault(script)?)))
            && end.code == Some(2)
        {
            found.push(
                case.candidate(Cause::CommandSyntaxError, Level::Container(rank), 70, Medium)
                    .of(container)
                    .end(end)
                    .fact(Case::fact(pointer, shown(script)))
                    .say(say!(
                        case,
                        "The script in the spec does not parse: {fault} has no counterpart. Shells end with 2 on a syntax error.",
                        "规约中的脚本无法解析：{fault} 没有配对。遇到语法错误时 shell 以 2 结束。"
                    ))
                    .step(case.logs(container, say!(case, "The shell names the line.", "shell 会指出行号。"))),
            );
        }
    }
}

fn spec_of(case: &Case<'_>, container: &Container<'_>) -> Option<Step> {
    let path =
        format!("{{.spec.{1}[?(@.name==\"{0}\")].command}} {{.spec.{1}[?(@.name==\"{0}\")].args}}", container.name, container.list());
    case.read(
        &["get", "pod", case.pod.name, "-o", &format!("jsonpath={path}")],
        say!(case, "Shows command and arguments as the runtime gets them.", "显示运行时实际得到的命令和参数。"),
    )
}
