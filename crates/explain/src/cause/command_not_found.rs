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
                    None,
                ));
            }
            continue;
        };
        let candidate = case.candidate(Cause::CommandNotFound, Level::Container(rank), 90, High).of(container).quote(quote);
        let name = program_of(quote).map_or(command, str::to_owned);
        found.push(explain(case, candidate, container, &name, Some(quote)));
    }
    for (rank, container, end) in case.exited() {
        // Programs, too, say at the end of a line that something was not found.
        // ERROR_FILE_NOT_FOUND is what Windows says in its place.
        let shell = matches!(end.code, Some(127 | -2_147_024_894 | 2_147_942_402));
        let quote = case.text(container, &RAN).or_else(|| case.text(container, &["not found\n"]).filter(|_| shell));
        // STATUS_DLL_NOT_FOUND and STATUS_ENTRYPOINT_NOT_FOUND: the loader of Windows, which starts the program before it looks.
        let loader = matches!(end.code, Some(-1_073_741_515 | 3_221_225_781 | -1_073_741_511 | 3_221_225_785));
        if loader {
            let name = named(case, container);
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
        let name = named(case, container);
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
        let line = quote.map(|quote| telling_line(&quote.text, &[&RAN[..], &["not found"]].concat())).unwrap_or_default();
        let code = end.code.map_or_else(String::new, |code| say!(case, "exit {code}", "退出码 {code}"));
        let words = if line.is_empty() { String::new() } else { say!(case, ": {line}", "：{line}") };
        let summary = if quote.is_some_and(|quote| quote.has(&["shared libraries"])) {
            say!(
                case,
                "The loader did not find a shared library that the program in {name} needs{words}",
                "加载器找不到 {name} 中程序所需的共享库{words}"
            )
        } else if quote.is_some_and(|quote| quote.has(&["exec user process"])) {
            say!(
                case,
                "The program of {name} cannot be run: it does not exist, or it is a script whose first line (#!) names an interpreter that is missing or ends in a carriage return (CRLF){words}",
                "{name} 的程序无法运行：文件不存在，或者它是脚本，而首行（#!）指定的解释器缺失或以回车符（CRLF）结尾{words}"
            )
        } else {
            say!(case, "A shell in {name} did not find a command ({code}){words}", "{name} 中的 shell 找不到某个命令（{code}）{words}")
        };
        found.push(candidate.say(summary).step(case.logs(
            container,
            say!(case, "The last line names the command or the library that is missing.", "最后一行会写出缺少的命令或库。"),
        )));
    }
}

fn command(container: &Container<'_>) -> String {
    container.command_line().first().map(|word| (*word).to_owned()).unwrap_or_default()
}

fn explain(case: &Case<'_>, mut candidate: Candidate, container: &Container<'_>, name: &str, quote: Option<&Quote>) -> Candidate {
    if let Some(end) = container.end() {
        candidate = candidate.end(end);
    }
    let image = image_of(case, container);
    let name_shown = shown(name);
    let said = |needles: &[&str]| quote.is_some_and(|quote| quote.has(needles));
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
    } else if said(&["is a directory"]) {
        say!(
            case,
            "`{name_shown}` in `{image}` is a folder and no program: the container was never started.",
            "“{image}”中的“{name_shown}”是目录而不是程序，容器从未启动。"
        )
    } else if said(&["no such file or directory"]) && name.starts_with(['/', '.']) && !said(&["stat "]) {
        // The runtime looks for the file first (`stat …`); what fails behind that is the kernel's search for the interpreter.
        say!(
            case,
            "`{name_shown}` cannot be run in `{image}`: it does not exist, or it is a script whose first line (#!) names an interpreter that is missing or ends in a carriage return (CRLF), or a program whose loader the image lacks (glibc, musl).",
            "“{image}”中的“{name_shown}”无法运行：文件不存在，或者它是脚本，而首行（#!）指定的解释器缺失或以回车符（CRLF）结尾，或者镜像缺少它的加载器（glibc、musl）。"
        )
    } else if name.is_empty() && !said(&["no command", "no executable command", "no entrypoint"]) {
        say!(
            case,
            "The program that `{image}` is to run does not exist in it: the container was never started.",
            "“{image}”要运行的程序在镜像中不存在，容器从未启动。"
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
