//! `app-native-crash`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container, end) in case.exited() {
        let Some(code) = end.code else { continue };
        let windows = matches!(code & 0xFFFF_FFFF, 0xC000_0005 | 0xC000_001D | 0xC000_0094 | 0xC000_00FD | 0xC000_0374 | 0xC000_0409)
            && code.abs() > 255;
        if end.oom_killed() || !(matches!(code, 132..=136 | 139) || windows) {
            continue;
        }
        let name = named(case, container);
        let signal = crate::exit_code::name(code, case.lang);
        let what = match code {
            132 => say!(
                case,
                "it met an instruction that this node's CPU does not have, or its file is damaged",
                "遇到该节点 CPU 不具备的指令，或文件损坏"
            ),
            133 => say!(case, "a trap or failed assertion", "陷阱或断言失败"),
            134 => say!(
                case,
                "it aborted itself: failed assertion, uncaught native exception, malloc check, or V8 out of heap",
                "自行中止：断言失败、未捕获的原生异常、malloc 检查，或 V8 堆耗尽"
            ),
            135 => say!(
                case,
                "a mapped page could not be filled: /dev/shm full, huge pages missing, or a file that shrank",
                "映射页无法填充：/dev/shm 已满、缺少大页，或文件被截短"
            ),
            136 => say!(case, "integer division by zero in native code", "原生代码中的整数除零"),
            _ => say!(
                case,
                "native code touched memory that is not its own, or its stack overflowed",
                "原生代码访问了不属于它的内存，或栈溢出"
            ),
        };
        found.push(
            case.candidate(Cause::AppNativeCrash, Level::Container(rank), 80, High)
                .of(container)
                .end(end)
                .say(say!(
                    case,
                    "The program in {name} crashed by a fault of its own machine code ({signal}): {what}.",
                    "{name} 中的程序因原生代码出错而崩溃（{signal}）：{what}。"
                ))
                .step(case.logs(container, say!(case, "Runtimes print a crash report last.", "语言运行时会在最后打印崩溃报告。")))
                .step(case.read_cluster(
                    &[
                        "get",
                        "node",
                        case.pod.node,
                        "-o",
                        "jsonpath={.status.nodeInfo.architecture} {.status.nodeInfo.kernelVersion} {.status.nodeInfo.osImage}",
                    ],
                    say!(
                        case,
                        "Shows the node's CPU and kernel: does it crash on one kind of node only?",
                        "显示节点的 CPU 和内核：是否只在某一类节点上崩溃？"
                    ),
                )),
        );
    }
}
