//! The signals of Linux by number, as on amd64, arm64, arm, 386, loong64, ppc64le, s390x and riscv64.

use super::entry::Entry;
use podsight_cause::Lang;

/// A signal that ended a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Signal {
    /// Its number: 1 to 64.
    pub number: u8,
    /// Its name.
    pub name: &'static str,
}

/// `signal(7)` in the order of the numbers. 32 and 33 belong to the C library's threads; glibc's SIGRTMIN is 34.
const NAMES: [&str; 64] = [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
    "SIG32",
    "SIG33",
    "SIGRTMIN",
    "SIGRTMIN+1",
    "SIGRTMIN+2",
    "SIGRTMIN+3",
    "SIGRTMIN+4",
    "SIGRTMIN+5",
    "SIGRTMIN+6",
    "SIGRTMIN+7",
    "SIGRTMIN+8",
    "SIGRTMIN+9",
    "SIGRTMIN+10",
    "SIGRTMIN+11",
    "SIGRTMIN+12",
    "SIGRTMIN+13",
    "SIGRTMIN+14",
    "SIGRTMIN+15",
    "SIGRTMAX-14",
    "SIGRTMAX-13",
    "SIGRTMAX-12",
    "SIGRTMAX-11",
    "SIGRTMAX-10",
    "SIGRTMAX-9",
    "SIGRTMAX-8",
    "SIGRTMAX-7",
    "SIGRTMAX-6",
    "SIGRTMAX-5",
    "SIGRTMAX-4",
    "SIGRTMAX-3",
    "SIGRTMAX-2",
    "SIGRTMAX-1",
    "SIGRTMAX",
];

/// The names that a number has on the other architectures of Linux, where they differ: MIPS (`arch/mips/include/uapi/asm/signal.h`), Alpha
/// and SPARC, which share all but one (`arch/alpha`, `arch/sparc`), and PA-RISC (`arch/parisc`). Of these Go, and so the
/// kubelet, is to be had for MIPS alone.
fn elsewhere(number: u8) -> [(&'static str, Option<&'static str>); 4] {
    let mips = match number {
        7 => Some("SIGEMT"),
        10 => Some("SIGBUS"),
        12 => Some("SIGSYS"),
        16 => Some("SIGUSR1"),
        17 => Some("SIGUSR2"),
        18 => Some("SIGCHLD"),
        19 => Some("SIGPWR"),
        20 => Some("SIGWINCH"),
        21 => Some("SIGURG"),
        22 => Some("SIGIO"),
        23 => Some("SIGSTOP"),
        24 => Some("SIGTSTP"),
        25 => Some("SIGCONT"),
        26 => Some("SIGTTIN"),
        27 => Some("SIGTTOU"),
        28 => Some("SIGVTALRM"),
        29 => Some("SIGPROF"),
        30 => Some("SIGXCPU"),
        31 => Some("SIGXFSZ"),
        _ => None,
    };
    let alpha = match number {
        7 => Some("SIGEMT"),
        10 => Some("SIGBUS"),
        12 => Some("SIGSYS"),
        16 => Some("SIGURG"),
        17 => Some("SIGSTOP"),
        18 => Some("SIGTSTP"),
        19 => Some("SIGCONT"),
        20 => Some("SIGCHLD"),
        23 => Some("SIGIO"),
        29 => Some("SIGPWR"),
        30 => Some("SIGUSR1"),
        31 => Some("SIGUSR2"),
        _ => None,
    };
    let sparc = if number == 29 { Some("SIGLOST") } else { alpha };
    let parisc = match number {
        7 => Some("SIGSTKFLT"),
        10 => Some("SIGBUS"),
        12 => Some("SIGXCPU"),
        16 => Some("SIGUSR1"),
        17 => Some("SIGUSR2"),
        18 => Some("SIGCHLD"),
        19 => Some("SIGPWR"),
        20 => Some("SIGVTALRM"),
        21 => Some("SIGPROF"),
        22 => Some("SIGIO"),
        23 => Some("SIGWINCH"),
        24 => Some("SIGSTOP"),
        25 => Some("SIGTSTP"),
        26 => Some("SIGCONT"),
        27 => Some("SIGTTIN"),
        28 => Some("SIGTTOU"),
        29 => Some("SIGURG"),
        30 => Some("SIGXFSZ"),
        _ => None,
    };
    [("MIPS", mips), ("Alpha", alpha), ("SPARC", sparc), ("PA-RISC", parisc)]
}

/// The names elsewhere in one list: `SIGBUS on MIPS, Alpha, SPARC and PA-RISC`.
fn differing(number: u8, lang: Lang) -> String {
    let mut names: Vec<(&str, Vec<&str>)> = Vec::new();
    for (architecture, name) in elsewhere(number).into_iter().filter_map(|(architecture, name)| Some((architecture, name?))) {
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, architectures)) => architectures.push(architecture),
            None => names.push((name, vec![architecture])),
        }
    }
    let one = |(name, architectures): &(&str, Vec<&str>)| match lang {
        Lang::En => format!("{name} on {}", architectures.join(", ")),
        Lang::Zh => format!("{} 上是 {name}", architectures.join("、")),
    };
    names.iter().map(one).collect::<Vec<_>>().join(if lang == Lang::Zh { "，" } else { "; " })
}

impl Signal {
    /// The signal with this number, 1 to 64.
    pub fn from_number(number: u8) -> Option<Self> {
        let name = NAMES.get(usize::from(number.checked_sub(1)?))?;
        Some(Self { number, name })
    }

    /// The signal with this name, with or without `SIG`, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        let upper = name.to_ascii_uppercase();
        let bare = upper.strip_prefix("SIG").unwrap_or(&upper);
        // 32 is an exit code, and SIG32 a signal.
        if bare == upper && bare.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let bare = match bare {
            "POLL" => "IO",
            "IOT" => "ABRT",
            "CLD" => "CHLD",
            other => other,
        };
        // Both ends count: SIGRTMIN+20 is SIGRTMAX-10.
        let from_minimum = bare.strip_prefix("RTMIN+").and_then(|step| step.parse::<u8>().ok()?.checked_add(34));
        let from_maximum = bare.strip_prefix("RTMAX-").and_then(|step| 64_u8.checked_sub(step.parse().ok()?));
        if let Some(number) = from_minimum.or(from_maximum) {
            return Self::from_number(number).filter(|_| number >= 34);
        }
        (1..=64).filter_map(Self::from_number).find(|signal| signal.name.strip_prefix("SIG") == Some(bare))
    }

    /// Whether it ends a process that does not handle it (`signal(7)`); the others stop it, wake it or are ignored.
    pub const fn ends_by_default(self) -> bool {
        !matches!(self.number, 17..=23 | 28)
    }

    pub(super) fn entry(self, lang: Lang) -> Entry {
        let Self { number, name } = self;
        let code = 128 + number;
        let (summary, checks) = text(number, lang);
        let mut entry = Entry::new(name, summary, checks);
        entry.summary = match lang {
            Lang::En => format!("{code} = 128 + {number}: ended by {name}. {}", entry.summary),
            Lang::Zh => format!("{code} = 128 + {number}：被 {name} 终止。{}", entry.summary),
        };
        entry.checks.push(match lang {
            Lang::En => format!("128 + n is a convention of shells and runtimes: a program can also end with {code} by itself, and a shell ends with {code} when its child was ended by {name}; then the main process was not."),
            Lang::Zh => format!("128 + n 只是 shell 和运行时的约定：程序也可以自己以 {code} 退出；子进程被 {name} 终止时，shell 也会以 {code} 退出，此时被终止的并不是主进程。"),
        });
        let other = differing(number, lang);
        if !other.is_empty() {
            entry.checks.push(match lang {
                Lang::En => {
                    format!("The number is that of amd64, arm64, arm, 386, ppc64le, s390x and riscv64. Elsewhere {number} is {other}.")
                }
                Lang::Zh => format!("此编号适用于 amd64、arm64、arm、386、ppc64le、s390x 和 riscv64。{number} 在 {other}。"),
            });
        }
        entry
    }
}

type Text = (&'static str, &'static [&'static str]);

fn text(number: u8, lang: Lang) -> Text {
    match lang {
        Lang::En => english(number),
        Lang::Zh => chinese(number),
    }
}

fn english(number: u8) -> Text {
    match number {
        1 => (
            "The terminal or the supervisor of the process went away; many daemons take it as \"read the configuration again\" instead.",
            &["Was it sent by a script or a reloader that meant to reload the configuration?"],
        ),
        2 => (
            "Interrupted, as by Ctrl-C; also the stop signal of images with STOPSIGNAL SIGINT.",
            &[
                "Does the image say STOPSIGNAL SIGINT? Then this is an ordinary stop: read it like 143.",
                "Did somebody press Ctrl-C in an attached session?",
            ],
        ),
        3 => (
            "Asked to quit; nginx and php-fpm images use it as their stop signal. A Go program that gets it prints its goroutines and ends with 2 instead.",
            &["Does the image say STOPSIGNAL SIGQUIT? Then this is an ordinary stop: read it like 143."],
        ),
        4 => (
            "The CPU met an instruction that it does not know: often a build for a newer CPU (AVX2, AVX-512, x86-64-v3) on an older node, or a damaged binary.",
            &["Compare the CPU flags of the node with what the image was built for.", "Does the same image run on another node?"],
        ),
        5 => (
            "A trap: debugger breakpoint, failed assertion (Chromium CHECK), or .NET fatal error.",
            &["The last lines of the log name the assertion."],
        ),
        6 => (
            "The program aborted itself: V8 \"JavaScript heap out of memory\", a Rust abort, the JVM with CrashOnOutOfMemoryError or a crash of its own, glibc's malloc check, an uncaught C++ or .NET exception. It is no kernel kill.",
            &[
                "Log says \"heap out of memory\"? Then it is the language's own heap limit: raise --max-old-space-size together with the memory limit.",
                "Log says \"malloc\", \"free\" or \"terminate called\"? Then it is a fault of native code.",
            ],
        ),
        7 => (
            "A mapped page could not be filled: file shorter than its mapping, /dev/shm full (64 MiB by default), no huge pages, truncated file on a network volume.",
            &[
                "Does the program use shared memory? Mount an emptyDir with medium Memory at /dev/shm.",
                "Does it ask for huge pages that the node lacks?",
            ],
        ),
        8 => (
            "Integer division by zero or overflow in native code. Managed languages report such an error with 1 or 2 instead.",
            &["A core dump or the log names the place."],
        ),
        9 => (
            "Killed by the signal that nothing can catch. The code does not say who sent it: the kernel for want of memory, the kubelet after the grace period or a failed probe, or something else on the node.",
            &[
                "Reason OOMKilled, or the annotation podsight.dev/oom? Then it was the kernel: see which limit was reached before raising one.",
                "Event Killing with \"failed liveness probe\" or \"failed startup probe\"? Then it was the kubelet, and the process ignored SIGTERM.",
                "Condition DisruptionTarget, a deletion, or status.reason? Then eviction, drain, preemption or shutdown, and the grace period ran out.",
                "Reason ContainerStatusUnknown? Then nobody saw a kill: the kubelet wrote 137 as a placeholder.",
                "None of these: a memory kill that the runtime missed (read the node's kernel log with podsight kmsg), or a kill from outside.",
            ],
        ),
        10 => (
            "A signal that programs give a meaning of their own (log rotation, dump of state); this one does not handle it. Kubernetes sends it only where the image or the pod names it as the stop signal, as haproxy's images do.",
            &[
                "Does the image say STOPSIGNAL SIGUSR1? Then this is an ordinary stop: read it like 143.",
                "Otherwise: which script, sidecar or process in the container sends SIGUSR1?",
            ],
        ),
        11 => (
            "Segmentation fault: native code touched memory that is not its own. Also a stack overflow (musl gives threads 128 KiB), glibc and musl mixed, or a broken emulation of another architecture.",
            &[
                "The kernel log has a line \"segfault at\" with the library's name.",
                "Does the same image crash on another node and on your machine?",
            ],
        ),
        12 => (
            "A signal that programs give a meaning of their own; this one does not handle it. Kubernetes sends it only where the image or the pod names it as the stop signal.",
            &["Which script, sidecar or process in the container sends SIGUSR2?"],
        ),
        13 => (
            "Wrote into a pipe or socket that nobody reads any more, for instance under \"set -o pipefail\" when head closes early.",
            &["Look for a pipe in the script whose right side ends first."],
        ),
        14 => ("A timer of the program (alarm) ran out and was not handled.", &["The log of the run says what it waited for."]),
        15 => (
            "Asked to stop, and ended by it. Ordinary during deletion, rollout, drain, eviction and node shutdown; otherwise a failed liveness or startup probe. The JVM and Python end this way.",
            &[
                "Event Killing? It says why the kubelet stopped the container.",
                "Condition DisruptionTarget or deletionTimestamp? Then an eviction, drain, preemption or deletion.",
                "Reason OOMKilled with 143 is a stale flag: a child was killed for memory earlier, this end has another cause.",
            ],
        ),
        16 => (
            "Stack fault of a coprocessor; unused by the kernel, so somebody sent it by number.",
            &["Who sends a signal by number in this container?"],
        ),
        17 | 18 | 23 | 28 => (
            "This signal ends no process by default, so the program ended itself with this code.",
            &["Look the code up in the program's manual."],
        ),
        19..=22 => (
            "This signal stops a process and does not end it, so the program ended itself with this code.",
            &["Look the code up in the program's manual."],
        ),
        24 => ("The CPU time allowed by ulimit -t was used up.", &["Which RLIMIT_CPU does the runtime or the script set?"]),
        25 => ("A file grew over the size allowed by ulimit -f.", &["Which RLIMIT_FSIZE does the runtime or the script set?"]),
        26 => ("A timer of the program's CPU time ran out and was not handled.", &["The program's own timers."]),
        27 => ("A profiler's timer ran out and was not handled.", &["Is a profiler attached or left on?"]),
        29 => (
            "Input or output became possible (also called SIGPOLL) and the program did not handle it.",
            &["The program's own use of asynchronous I/O."],
        ),
        30 => (
            "Power failure notice; the stop signal of some init systems in containers.",
            &["Does the image say STOPSIGNAL SIGPWR or SIGRTMIN+3? Then this is an ordinary stop."],
        ),
        31 => (
            "A system call was refused by a seccomp profile that kills. CRI-O shows the reason \"seccomp killed\".",
            &[
                "The node's audit log has type=1326 with sig=31 and the number of the call.",
                "Compare securityContext.seccompProfile with what the program needs.",
            ],
        ),
        32 | 33 => (
            "A signal that the C library keeps for its threads; more often the program ended itself with this code.",
            &["Look the code up in the program's manual."],
        ),
        37 => (
            "The stop signal of systemd in a container.",
            &["Does the image say STOPSIGNAL SIGRTMIN+3? Then this is an ordinary stop: read it like 143."],
        ),
        _ => (
            "A real-time signal that the program does not handle; it has no meaning of its own. Kubernetes sends it only where the image or the pod names it as the stop signal.",
            &["Which program or runtime sends it? systemd and some language runtimes use real-time signals."],
        ),
    }
}

fn chinese(number: u8) -> Text {
    match number {
        1 => ("进程的终端或管理者消失；许多守护进程则把它当作“重新读取配置”。", &["是不是某个脚本或重载工具本想让它重读配置？"]),
        2 => (
            "被中断，如 Ctrl-C；也是 STOPSIGNAL SIGINT 镜像的停止信号。",
            &["镜像写了 STOPSIGNAL SIGINT 吗？那就是普通停止：按 143 理解。", "有人在附着的会话里按了 Ctrl-C 吗？"],
        ),
        3 => (
            "被要求退出；nginx 和 php-fpm 镜像用它作停止信号。Go 程序收到后会打印协程栈并以 2 结束。",
            &["镜像写了 STOPSIGNAL SIGQUIT 吗？那就是普通停止：按 143 理解。"],
        ),
        4 => (
            "CPU 遇到不认识的指令：常见于为较新 CPU（AVX2、AVX-512、x86-64-v3）构建的程序跑在旧节点上，或二进制损坏。",
            &["对比节点的 CPU 标志与镜像的构建目标。", "同一镜像在别的节点上能运行吗？"],
        ),
        5 => ("陷阱：调试断点、断言失败（Chromium CHECK）或 .NET 致命错误。", &["日志最后几行会写出断言。"]),
        6 => (
            "程序自己中止：V8 的 \"JavaScript heap out of memory\"、Rust abort、JVM 的 CrashOnOutOfMemoryError 或自身崩溃、glibc 的 malloc 检查、未捕获的 C++ 或 .NET 异常。这不是内核的杀死。",
            &[
                "日志里有 \"heap out of memory\"？那是语言自己的堆上限：把 --max-old-space-size 和内存上限一起调大。",
                "日志里有 malloc、free 或 terminate called？那是原生代码的错误。",
            ],
        ),
        7 => (
            "映射的页无法填充：文件比映射短、/dev/shm 已满（默认 64 MiB）、没有大页，或网络卷上的文件被截断。",
            &["程序用共享内存吗？在 /dev/shm 挂载 medium 为 Memory 的 emptyDir。", "它是否要求节点没有的大页？"],
        ),
        8 => ("原生代码中的整数除零或溢出。托管语言会以 1 或 2 报告这类错误。", &["核心转储或日志会指出位置。"]),
        9 => (
            "被无法捕获的信号杀死。退出码不说明是谁发的：内核因内存不足、kubelet 在宽限期结束或探针失败之后，或节点上的其他程序。",
            &[
                "原因为 OOMKilled，或有注解 podsight.dev/oom？那是内核：先弄清达到的是哪一个上限，再决定是否调大。",
                "事件 Killing 里有 \"failed liveness probe\" 或 \"failed startup probe\"？那是 kubelet，而且进程忽略了 SIGTERM。",
                "有 DisruptionTarget 条件、删除时间或 status.reason？那是驱逐、排空、抢占或关机，宽限期用完了。",
                "原因为 ContainerStatusUnknown？那么没有人看到过杀死：137 是 kubelet 写的占位。",
                "都没有：可能是运行时漏报的内存杀死（用 podsight kmsg 读节点的内核日志），或来自外部的杀死。",
            ],
        ),
        10 => (
            "由程序自行赋予含义的信号（日志轮转、状态转储），而这个程序没有处理它。只有镜像或 Pod 把它指定为停止信号时 Kubernetes 才会发送，例如 haproxy 镜像。",
            &["镜像写了 STOPSIGNAL SIGUSR1 吗？那就是普通停止：按 143 理解。", "否则：容器里哪个脚本、sidecar 或进程会发送 SIGUSR1？"],
        ),
        11 => (
            "段错误：原生代码访问了不属于它的内存。也可能是栈溢出（musl 只给线程 128 KiB）、glibc 与 musl 混用，或跨架构模拟出错。",
            &["内核日志里有 \"segfault at\" 一行，写着库名。", "同一镜像在别的节点和你的机器上也崩溃吗？"],
        ),
        12 => (
            "由程序自行赋予含义的信号，而这个程序没有处理它。只有镜像或 Pod 把它指定为停止信号时 Kubernetes 才会发送。",
            &["容器里哪个脚本、sidecar 或进程会发送 SIGUSR2？"],
        ),
        13 => ("向已无人读取的管道或套接字写入，例如 \"set -o pipefail\" 下 head 提前关闭。", &["在脚本里找右侧先结束的管道。"]),
        14 => ("程序的定时器（alarm）到期而未被处理。", &["那次运行的日志会说明它在等什么。"]),
        15 => (
            "被要求停止并因此结束。在删除、滚动更新、排空、驱逐和节点关机时属正常；否则是存活或启动探针失败。JVM 和 Python 会这样结束。",
            &[
                "有 Killing 事件吗？它写明 kubelet 为何停止容器。",
                "有 DisruptionTarget 条件或 deletionTimestamp 吗？那是驱逐、排空、抢占或删除。",
                "OOMKilled 加 143 是过期的标记：之前有子进程因内存被杀，这次结束另有原因。",
            ],
        ),
        16 => ("协处理器栈错误；内核不使用它，所以是有人按编号发送的。", &["容器里谁会按编号发信号？"]),
        17 | 18 | 23 | 28 => ("这个信号默认不会结束进程，所以是程序自己以这个码退出的。", &["请查该程序的手册。"]),
        19..=22 => ("这个信号只会暂停进程而不会结束它，所以是程序自己以这个码退出的。", &["请查该程序的手册。"]),
        24 => ("用完了 ulimit -t 允许的 CPU 时间。", &["运行时或脚本设置了多大的 RLIMIT_CPU？"]),
        25 => ("文件超过了 ulimit -f 允许的大小。", &["运行时或脚本设置了多大的 RLIMIT_FSIZE？"]),
        26 => ("程序的 CPU 时间定时器到期而未被处理。", &["检查程序自己的定时器。"]),
        27 => ("性能分析定时器到期而未被处理。", &["是否附着或遗留了性能分析器？"]),
        29 => ("输入输出就绪信号（又名 SIGPOLL），程序没有处理它。", &["检查程序自己的异步 I/O。"]),
        30 => ("断电通知；也是容器中某些 init 系统的停止信号。", &["镜像写了 STOPSIGNAL SIGPWR 或 SIGRTMIN+3 吗？那就是普通停止。"]),
        31 => (
            "系统调用被会杀死进程的 seccomp 配置拒绝。CRI-O 显示的原因是 \"seccomp killed\"。",
            &["节点的审计日志有 type=1326、sig=31 和系统调用号。", "对比 securityContext.seccompProfile 与程序的需要。"],
        ),
        32 | 33 => ("C 库为线程保留的信号；更常见的是程序自己以这个码退出。", &["请查该程序的手册。"]),
        37 => ("容器中 systemd 的停止信号。", &["镜像写了 STOPSIGNAL SIGRTMIN+3 吗？那就是普通停止：按 143 理解。"]),
        _ => (
            "程序没有处理的实时信号；它本身没有固定含义。只有镜像或 Pod 把它指定为停止信号时 Kubernetes 才会发送。",
            &["哪个程序或运行时发送它？systemd 和某些语言运行时会用实时信号。"],
        ),
    }
}
