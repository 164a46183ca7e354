//! `command-not-found`

use super::prelude::*;

const NEVER_RAN: [&str; 8] = [
    "executable file not found",
    "error finding executable",
    "open executable: no such file",
    "no command specified",
    "no executable command",
    "is a directory: unknown",
    "not found in $path",
    "no entrypoint",
];
const RAN: [&str; 4] = [
    "command not found",
    "error while loading shared libraries",
    "exec user process caused \"no such file",
    "exec user process caused: no such file",
];

/// What stands before `no such file or directory` where it is the command that is missing. A hook, a library or a cgroup may be, too.
const LOOKED_FOR: [&str; 5] = ["exec: \"", "exec: \\\"", "exec /", ": stat ", "fork/exec "];

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container) in case.starting() {
        let command = command(container);
        let missing = |quote: &Quote| {
            let windows = quote.has(&["createprocess"]) && quote.has(&["cannot find the file specified"]);
            windows || quote.has(&NEVER_RAN) || (quote.has(&["no such file or directory"]) && quote.has(&LOOKED_FOR))
        };
        let quote = case.texts(container).iter().find(|quote| missing(quote)).filter(|quote| {
            !runtime_missing(quote)
                && !quote.has(&[
                    " hook",
                    "nvidia-container",
                    "/sys/fs/cgroup",
                    "error mounting",
                    "not a directory",
                    "failed to stat \"/var/lib",
                    "apparmor",
                    "seccomp",
                    "gathering device",
                    "/dev/",
                ])
        });
        let Some(quote) = quote else {
            // Without its message a start that failed is most often a wrong command, but it may as well be anything else.
            let coded = container.end().is_some_and(|end| end.reason == "ContainerCannotRun" && end.code == Some(127));
            if coded {
                found.push(explain(
                    case,
                    case.candidate(Cause::CommandNotFound, Level::Container(rank), 70, Medium).of(container),
                    container,
                    &command,
                ));
            }
            continue;
        };
        let candidate = case.candidate(Cause::CommandNotFound, Level::Container(rank), 90, High).of(container).quote(quote);
        let name = quote.between("exec: \"", "\"").map_or(command, |name| name.split("\" ").next().unwrap_or_default().to_owned());
        found.push(explain(case, candidate, container, &name));
    }
    for (rank, container, end) in case.exited() {
        // Programs, too, say at the end of a line that something was not found.
        let shell = end.code == Some(127);
        let quote = case.text(container, &RAN).or_else(|| case.text(container, &["not found\n"]).filter(|_| shell));
        // STATUS_DLL_NOT_FOUND and STATUS_ENTRYPOINT_NOT_FOUND: the loader of Windows, which starts the program before it looks.
        let loader = matches!(end.code, Some(-1_073_741_515 | 3_221_225_781 | -1_073_741_511 | 3_221_225_785));
        if loader {
            let name = shown(container.name);
            found.push(
                case.candidate(Cause::CommandNotFound, Level::Container(rank), 84, Medium)
                    .of(container)
                    .end(end)
                    .say(say!(
                        case,
                        "The loader of Windows did not find a library (DLL) that the program in {name} needs: the base image lacks it.",
                        "Windows 加载器找不到 {name} 中程序所需的库（DLL）：基础镜像中没有它。"
                    ))
                    .step(case.logs(
                        container,
                        say!(
                            case,
                            "Seldom more than the code; compare the base image with the one it was built for.",
                            "通常只有退出码；请对照构建时所用的基础镜像。"
                        ),
                    )),
            );
            continue;
        }
        if !shell && quote.is_none() {
            continue;
        }
        let mut candidate = case
            .candidate(
                Cause::CommandNotFound,
                Level::Container(rank),
                84,
                if end.code == Some(127) && quote.is_some() { High } else { Medium },
            )
            .of(container)
            .end(end);
        if let Some(quote) = quote {
            candidate = candidate.quote(quote);
        }
        found.push(
            candidate
                .say(say!(case, "A shell in the container did not find a command, or the loader a shared library (exit 127). The program itself was started.", "容器内的 shell 找不到某个命令，或加载器找不到共享库（退出码 127）。容器本身已经启动过。"))
                .step(case.logs(container, say!(case, "The last line names the command or the library that is missing.", "最后一行会写出缺少的命令或库。"))),
        );
    }
}

fn command(container: &Container<'_>) -> String {
    container.command_line().first().map(|word| (*word).to_owned()).unwrap_or_default()
}

fn explain(case: &Case<'_>, mut candidate: Candidate, container: &Container<'_>, name: &str) -> Candidate {
    if let Some(end) = container.end() {
        candidate = candidate.end(end);
    }
    let image = shown(container.image());
    let name_shown = shown(name);
    if let Some(first) =
        container.spec.list("command").first().or_else(|| container.spec.list("args").first()).and_then(serde_json::Value::as_str)
    {
        let list = if container.spec.list("command").is_empty() { "args" } else { "command" };
        candidate = candidate.fact(Case::fact(format!("{}/{list}/0", container.spec_pointer), shown(first)));
    }
    let summary = if name.trim().contains(' ') {
        say!(
            case,
            "`{name_shown}` is taken as the name of one program, blanks included: each word needs an entry of its own in the list.",
            "“{name_shown}”（连同空格）被当作一个程序名：列表中每个单词都要单独成项。"
        )
    } else if name.is_empty() {
        say!(
            case,
            "There is no command to run: `{image}` has none, and the spec gives none.",
            "没有可以运行的命令：“{image}”没有默认命令，规约里也没有写。"
        )
    } else {
        say!(
            case,
            "There is no program `{name_shown}` in `{image}`: the container was never started. A typing error, another image, or a volume that lies over it.",
            "“{image}”中没有程序“{name_shown}”，容器从未启动。可能是拼写错误、镜像用错，或被某个卷覆盖。"
        )
    };
    candidate.say(summary).step(
        case.read(
            &["debug", case.pod.name, "-it", "--copy-to=podsight-debug", &format!("--container={}", container.name), "--", "sh"],
            say!(
                case,
                "Opens a shell in a copy of the pod to look for the program (the copy has to be deleted afterwards).",
                "在 Pod 的副本中打开 shell 以查找该程序（之后要删除副本）。"
            ),
        )
        .filter(|_| !container.name.is_empty()),
    )
}
