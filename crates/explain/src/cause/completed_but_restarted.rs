//! `completed-but-restarted`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container, end) in case.exited() {
        let again = case.pod.restart_policy == "Always" || container.role == Role::Sidecar;
        let ours = matches!(container.role, Role::Main | Role::Sidecar) && end.clean() && again && !case.pod.over() && !case.pod.deleting;
        if !ours || (end.code.is_none() && end.reason.is_empty()) {
            continue;
        }
        let name = named(case, container);
        let life =
            end.life().map(crate::status::human_duration).map_or_else(String::new, |life| say!(case, " after {life}", "（运行了 {life}）"));
        let looping = container.waiting == "CrashLoopBackOff" || container.ended.is_some() || container.restarts > 1;
        let mut candidate = case
            .candidate(Cause::CompletedButRestarted, Level::Container(rank), 75, if looping { High } else { Medium })
            .of(container)
            .end(end)
            .fact(Case::fact("/spec/restartPolicy", case.pod.restart_policy));
        let command = container.command_line();
        if command.is_empty() {
            candidate = candidate.fact(Case::fact(
                format!("{}/image", container.spec_pointer),
                say!(case, "no command: the image's own", "没有写命令：使用镜像自带的"),
            ));
        } else {
            candidate = candidate.fact(Case::fact(format!("{}/command", container.spec_pointer), shown(&command.join(" "))));
        }
        found.push(
            candidate
                .say(say!(case, "The program in {name} did its work and ended with 0{life}, but restartPolicy Always starts it again each time. Work that ends belongs into a Job; a server has to stay in the foreground.", "{name} 中的程序正常结束，退出码 0{life}，但 restartPolicy 为 Always，每次都会再启动。会结束的工作应放进 Job；服务则必须保持在前台。"))
                .step(case.logs(container, say!(case, "Shows whether it did its work, or hid an error and ended with 0.", "查看它是完成了工作，还是掩盖了错误而以 0 结束。"))),
        );
    }
}
