//! `app-config-error`

use super::prelude::*;

const SAYS: [&str; 31] = [
    "no such file or directory",
    "certificate has expired",
    "certificate is not valid",
    "x509:",
    "file not found",
    "filenotfounderror",
    "cannot find module",
    "modulenotfounderror",
    "environment variable",
    "env var",
    "is not set",
    "must be set",
    "is required",
    "missing required",
    "invalid configuration",
    "configuration error",
    "error loading config",
    "failed to load config",
    "couldn't load config",
    "could not load config",
    "error parsing config",
    "parsing yaml",
    "unmarshal errors",
    "[emerg]",
    "unable to load",
    "unable to read",
    "failed to read",
    "could not open",
    "cannot open",
    "invalid value",
    "malformed gomemlimit",
];

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container, end) in case.exited() {
        if end.clean() || end.oom_killed() || end.code.is_some_and(|code| code > 128 && code != 255) {
            continue;
        }
        let Some(quote) = case.texts(container).iter().find(|quote| quote.source == Source::Pod && quote.has(&SAYS)) else { continue };
        let name = named(case, container);
        let line = telling_line(&quote.text, &SAYS);
        let mut candidate =
            case.candidate(Cause::AppConfigError, Level::Container(rank), 78, Medium).of(container).end(end).quote(quote).say(say!(
                case,
                "Something that the program in {name} needs is absent, wrong or not there yet: {line}",
                "{name} 中的程序需要的东西缺失、有误或尚未就绪：{line}"
            ));
        if container.running && container.ready {
            candidate =
                candidate.against(say!(case, "It runs now: what was missing came later.", "它现在正常运行：当时缺少的东西后来有了。"));
        }
        found.push(
            candidate
                .step(case.read(
                    &["describe", "pod", case.pod.name],
                    say!(
                        case,
                        "Shows mounts and environment, to compare with what the message names.",
                        "显示挂载和环境变量，与消息中所写的对照。"
                    ),
                ))
                .step(case.logs(container, say!(case, "Shows the lines before the message.", "查看该消息之前的日志行。"))),
        );
    }
}
