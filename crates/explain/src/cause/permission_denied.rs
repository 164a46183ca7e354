//! `permission-denied`

use super::prelude::*;

const SAYS: [&str; 8] = [
    "permission denied",
    "operation not permitted",
    "eacces",
    "eperm",
    "read-only file system",
    "access is denied",
    "permissionerror",
    "not permitted",
];

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container) in case.starting() {
        let Some(quote) = case.text(container, &["permission denied"]) else { continue };
        let name = named(case, container);
        let mut candidate = case.candidate(Cause::PermissionDenied, Level::Container(rank), 89, High).of(container).quote(quote);
        if let Some(end) = container.end() {
            candidate = candidate.end(end);
        }
        let program = program_of(quote).map(shown);
        let folder = quote.between("chdir to cwd (\"", "\")").map(|path| shown(path.trim_end_matches('\\')));
        let summary = match (folder, program) {
            (Some(folder), _) => say!(
                case,
                "The user that {name} runs as may not enter its working directory {folder}: wrong owner or mode in the image, or a volume that lies over it.",
                "{name} 的运行用户无权进入工作目录 {folder}：镜像中的属主或权限不对，或被某个卷覆盖。"
            ),
            (None, Some(program)) => say!(
                case,
                "The runtime found the program {program} but may not run it: no execute bit, a noexec mount, or not for this user.",
                "运行时找到了程序 {program}，但无权执行：缺少执行权限、挂载为 noexec，或不允许该用户执行。"
            ),
            (None, None) => {
                let line = telling_line(&quote.text, &["permission denied"]);
                say!(
                    case,
                    "The system refused the runtime something while it started {name}: {line}",
                    "运行时启动 {name} 时被系统拒绝：{line}"
                )
            }
        };
        found.push(candidate.say(summary).step(image_user(case, container)));
    }
    for (rank, container, end) in case.exited() {
        if end.reason == "seccomp killed" || end.code == Some(159) {
            found.push(
                case.candidate(Cause::PermissionDenied, Level::Container(rank), 90, High)
                    .of(container)
                    .end(end)
                    .say(say!(
                        case,
                        "A seccomp profile killed the program for a system call that it does not allow (SIGSYS).",
                        "程序使用了 seccomp 配置不允许的系统调用，被 SIGSYS 杀死。"
                    ))
                    .step(case.read(
                        &[
                            "get",
                            "pod",
                            case.pod.name,
                            "-o",
                            "jsonpath={.spec.securityContext.seccompProfile} {.spec.containers[*].securityContext.seccompProfile}",
                        ],
                        say!(
                            case,
                            "Shows the profile; the node's audit log (type=1326) names the call.",
                            "显示所用的配置；节点审计日志（type=1326）会写出系统调用。"
                        ),
                    )),
            );
            continue;
        }
        // STATUS_ACCESS_DENIED and E_ACCESSDENIED of Windows.
        let refused = matches!(end.code, Some(-1_073_741_790 | 3_221_225_506 | -2_147_024_891 | 2_147_942_405));
        let stated = end.code == Some(126);
        if end.clean() || end.oom_killed() || end.code.is_some_and(|code| code > 128 && code != 255) {
            continue;
        }
        let quote = case.text(container, &SAYS).filter(|quote| quote.source == Source::Pod);
        if !stated && !refused && quote.is_none() {
            continue;
        }
        let mut candidate = case
            .candidate(Cause::PermissionDenied, Level::Container(rank), 80, if stated && quote.is_some() { High } else { Medium })
            .of(container)
            .end(end);
        if let Some(quote) = quote {
            candidate = candidate.quote(quote);
        }
        let summary = if stated {
            say!(
                case,
                "A shell in the container found the command but could not run it (exit 126): no execute bit, a folder, a noexec mount, or a file for another CPU.",
                "容器内的 shell 找到了命令却无法执行（退出码 126）：缺少执行权限、是目录、挂载为 noexec，或文件属于另一种 CPU。"
            )
        } else {
            say!(
                case,
                "The program was refused something by the system: a file, a port below 1024 or a capability.",
                "系统拒绝了程序的操作：文件、1024 以下端口或某项 capability。"
            )
        };
        found.push(candidate.say(summary).step(image_user(case, container)).step(
            case.logs(container, say!(case, "The line above the refusal names the file or port.", "被拒绝之前的日志行会写出文件或端口。")),
        ));
    }
}

fn image_user(case: &Case<'_>, container: &Container<'_>) -> Option<Step> {
    let path = format!("{{.spec.securityContext}} {{.spec.{}[?(@.name==\"{}\")].securityContext}}", container.list(), container.name);
    case.read(
        &["get", "pod", case.pod.name, "-o", &format!("jsonpath={path}")],
        say!(case, "Shows user, group and capabilities that the program runs with.", "显示程序运行所用的用户、组和 capability。"),
    )
}
