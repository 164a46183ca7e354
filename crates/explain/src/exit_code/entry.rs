//! The codes that are no signal's.

use podsight_cause::Lang;

/// What is known of one code, in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) summary: String,
    pub(super) checks: Vec<String>,
}

impl Entry {
    pub(super) fn new(name: &str, summary: &str, checks: &[&str]) -> Self {
        Self { name: name.to_owned(), summary: summary.to_owned(), checks: checks.iter().map(|&check| check.to_owned()).collect() }
    }
}

type Text = (&'static str, &'static str, &'static [&'static str]);

/// The entry of a code that is no 128 + n: 0 to 128 and 193 to 255.
pub(super) fn entry(code: u8, lang: Lang) -> Entry {
    let (name, summary, checks) = match (lang, sysexit(code)) {
        (Lang::En, Some((name, meaning, _))) => {
            return Entry::new(
                name,
                &format!(
                    "sysexits.h: {meaning}. Only a convention that mail programs and some others follow; any program may use the number for itself."
                ),
                &["Look the code up in the program's manual, then read its log."],
            );
        }
        (Lang::Zh, Some((name, _, meaning))) => {
            return Entry::new(
                name,
                &format!("sysexits.h：{meaning}。这只是邮件程序等遵循的约定，任何程序都可以自行使用这个数字。"),
                &["先查该程序的手册，再看它的日志。"],
            );
        }
        (Lang::En, None) => english(code),
        (Lang::Zh, None) => chinese(code),
    };
    Entry::new(name, summary, checks)
}

/// `sysexits.h`.
fn sysexit(code: u8) -> Option<Text2> {
    Some(match code {
        64 => ("EX_USAGE", "wrong command line", "命令行用法错误"),
        65 => ("EX_DATAERR", "wrong input data", "输入数据有误"),
        66 => ("EX_NOINPUT", "input cannot be opened", "无法打开输入"),
        67 => ("EX_NOUSER", "user unknown", "用户不存在"),
        68 => ("EX_NOHOST", "host name unknown", "主机名不存在"),
        69 => ("EX_UNAVAILABLE", "a needed service is unavailable", "所需服务不可用"),
        70 => ("EX_SOFTWARE", "internal software error", "程序内部错误"),
        71 => ("EX_OSERR", "operating system error", "操作系统错误"),
        72 => ("EX_OSFILE", "a system file is missing or wrong", "系统文件缺失或有误"),
        73 => ("EX_CANTCREAT", "output cannot be created", "无法创建输出"),
        74 => ("EX_IOERR", "input or output error", "输入输出错误"),
        75 => ("EX_TEMPFAIL", "temporary failure, to be tried again", "暂时失败，可以重试"),
        76 => ("EX_PROTOCOL", "remote protocol error", "远端协议错误"),
        77 => ("EX_NOPERM", "permission denied", "权限不足"),
        78 => ("EX_CONFIG", "configuration error", "配置错误"),
        _ => return None,
    })
}

type Text2 = (&'static str, &'static str, &'static str);

fn english(code: u8) -> Text {
    match code {
        0 => (
            "success",
            "The program ended by itself and says that all went well. With restartPolicy Always it is started again each time and shows CrashLoopBackOff.",
            &[
                "Is the work meant to end? Use a Job, or restartPolicy OnFailure.",
                "Is it a server? It put itself into the background or its shell had no terminal: keep it in the foreground, and start it with exec in scripts.",
                "Does the log end with an error? The script swallowed its code: add set -e.",
                "Reason OOMKilled with 0: a child was killed for memory and the main process did not mind.",
            ],
        ),
        1 => (
            "general error",
            "The program ended itself with a general failure: an uncaught exception in Python, Node.js or Java (their own out-of-memory errors too), log.Fatal in Go, a configuration that nginx refuses. Old versions of runc also end this way on \"exec format error\".",
            &[
                "Read the last lines of the log of the run that ended: kubectl logs --previous.",
                "Log says \"exec format error\"? Then the program is for another CPU, or a script lacks its #! line.",
            ],
        ),
        2 => (
            "misuse or Go panic",
            "A Go panic or fatal runtime error, a syntax error found by a shell, or arguments that the program refuses (Python's argparse, prometheus). dash also ends with 2 when it is told to exit with a number that it cannot take.",
            &[
                "Log says \"panic:\" or \"fatal error:\"? A Go program; its stack follows.",
                "Log says \"syntax error\" or \"unexpected\"? The script given as command.",
                "Log says \"usage:\" or \"unknown flag\"? The arguments in the spec.",
            ],
        ),
        3 => (
            "program's own, or JVM out of memory",
            "The JVM with -XX:+ExitOnOutOfMemoryError ends with 3 when its heap is full. Otherwise a code of the program's own.",
            &[
                "Log says \"Terminating due to java.lang.OutOfMemoryError\"? Then the heap limit, not the kernel: raise -Xmx or MaxRAMPercentage together with the memory limit.",
                "Otherwise look the code up in the program's manual.",
            ],
        ),
        13 => (
            "program's own, or Node.js unfinished await",
            "Node.js ends with 13 when a top-level await never settles. Otherwise a code of the program's own.",
            &["Log warns of an \"unsettled top-level await\"?", "Otherwise look the code up in the program's manual."],
        ),
        100 => (
            "program's own",
            "A code of the program's own; apt ends with 100 on any error.",
            &["Does the container run apt-get at start? Its log names the package."],
        ),
        101 => (
            "Rust panic",
            "A Rust program panicked. Otherwise a code of the program's own.",
            &["Log says \"panicked at\"? It names the file and line."],
        ),
        124 => (
            "timeout expired",
            "timeout(1) ended the command when its time was up. Otherwise a code of the program's own.",
            &["Does the command or a script use timeout? Is the time too short, or does the command hang?"],
        ),
        125 => (
            "the launcher failed",
            "docker run, timeout or a similar launcher failed before the command started. Kubernetes' runtimes do not use 125, so it comes from a program inside the container.",
            &["Which launcher does the command or the script use? Its own message is in the log."],
        ),
        126 => (
            "found but cannot be executed",
            "A shell found the command but could not run it: no execute bit, a folder, a noexec mount or a binary for another CPU. With containerd a wrong command in the spec shows StartError with 128 instead, with CRI-O CreateContainerError without a code, with cri-dockerd ContainerCannotRun.",
            &[
                "ls -l of the file inside the image: is the execute bit set?",
                "Does a volume with noexec or other owners lie over it?",
                "Log says \"exec format error\" or \"cannot execute binary file\"? Then it is for another CPU.",
            ],
        ),
        127 => (
            "command not found",
            "A shell did not find the command, or the loader did not find a shared library. With containerd a wrong command in the spec shows StartError with 128 instead, with CRI-O CreateContainerError without a code; cri-dockerd shows ContainerCannotRun with 127.",
            &[
                "Log names the command: is it in this image, and in its PATH?",
                "Log says \"error while loading shared libraries\"? Then a library is missing, or glibc and musl are mixed.",
                "A script that exists? Its #! line names a missing interpreter or ends in a carriage return (CRLF).",
            ],
        ),
        128 => (
            "could not be started",
            "containerd's code for a container that never ran (reason StartError, start time 1970): command not found, no permission, a wrong mount or a memory limit too small to start. Some shells also end with 128 after exit with a wrong argument.",
            &[
                "The message of the terminated state holds the runtime's own words.",
                "Reason Error instead of StartError? Then a program inside ended with 128: git does so on fatal errors.",
            ],
        ),
        255 => (
            "-1, or not known",
            "exit(-1), or a code of the program's own: klog.Fatal and glog.Fatal in Go, die in perl, ssh when the connection fails. Three meanings come from the infrastructure: runc could not execute the file (\"exec format error\", a binary for another CPU), containerd lost the container over a restart of node or runtime (reason Unknown), or the code was lost and 255 stands for it.",
            &[
                "Reason Unknown, or several containers in the same second? Then the node or its runtime restarted.",
                "One line in the log, \"exec format error\"? Then another CPU, or a script without its #! line.",
                "Otherwise read the last lines of the log: kubectl logs --previous.",
            ],
        ),
        129..=254 => (
            "program's own",
            "A code that only the program's own manual explains: it is no signal's.",
            &["Look the code up in the program's manual, then read its log."],
        ),
        _ => (
            "program's own",
            "A code that only the program's own manual explains. Examples: Node.js 5 fatal error in V8, 7 handler failed, 9 wrong argument; curl 6 host name, 7 connection, 22 HTTP error, 28 time-out; rsync 23 and 24 partial transfer.",
            &["Look the code up in the program's manual, then read its log: kubectl logs --previous."],
        ),
    }
}

fn chinese(code: u8) -> Text {
    match code {
        0 => (
            "成功",
            "程序自行结束并表示一切正常。restartPolicy 为 Always 时会被反复重新启动，并显示 CrashLoopBackOff。",
            &[
                "这项工作本来就会结束吗？用 Job，或 restartPolicy OnFailure。",
                "它是服务吗？它把自己放到了后台，或它的 shell 没有终端：让它在前台运行，脚本里用 exec 启动。",
                "日志以错误结尾吗？脚本吞掉了退出码：加上 set -e。",
                "OOMKilled 加 0：有子进程因内存被杀，而主进程没有理会。",
            ],
        ),
        1 => (
            "一般错误",
            "程序以通用失败码自行结束：Python、Node.js 或 Java 的未捕获异常（包括它们自己的内存不足错误）、Go 的 log.Fatal、nginx 不接受的配置。旧版 runc 遇到 \"exec format error\" 也会这样结束。",
            &[
                "查看已结束那次运行的日志末尾：kubectl logs --previous。",
                "日志里有 \"exec format error\"？那是程序属于另一种 CPU，或脚本缺少 #! 行。",
            ],
        ),
        2 => (
            "用法错误或 Go panic",
            "Go 的 panic 或致命运行时错误、shell 发现的语法错误，或程序不接受的参数（Python argparse、prometheus）。dash 被要求以它不接受的数字退出时也会以 2 结束。",
            &[
                "日志里有 \"panic:\" 或 \"fatal error:\"？那是 Go 程序，后面就是调用栈。",
                "日志里有 \"syntax error\" 或 \"unexpected\"？检查作为命令的脚本。",
                "日志里有 \"usage:\" 或 \"unknown flag\"？检查规约中的参数。",
            ],
        ),
        3 => (
            "程序自定义，或 JVM 内存不足",
            "JVM 带 -XX:+ExitOnOutOfMemoryError 时，堆满会以 3 结束。否则是程序自定义的退出码。",
            &[
                "日志里有 \"Terminating due to java.lang.OutOfMemoryError\"？那是堆上限而不是内核：把 -Xmx 或 MaxRAMPercentage 与内存上限一起调大。",
                "否则请查该程序的手册。",
            ],
        ),
        13 => (
            "程序自定义，或 Node.js 未完成的 await",
            "顶层 await 始终没有结果时，Node.js 以 13 结束。否则是程序自定义的退出码。",
            &["日志里有 \"unsettled top-level await\" 警告吗？", "否则请查该程序的手册。"],
        ),
        100 => ("程序自定义", "程序自定义的退出码；apt 出任何错误都以 100 结束。", &["容器启动时运行 apt-get 吗？它的日志会写出软件包。"]),
        101 => ("Rust panic", "Rust 程序发生 panic。否则是程序自定义的退出码。", &["日志里有 \"panicked at\"？它写明文件和行号。"]),
        124 => (
            "超时",
            "时间到后 timeout(1) 结束了命令。否则是程序自定义的退出码。",
            &["命令或脚本里用了 timeout 吗？是时间太短，还是命令卡住？"],
        ),
        125 => (
            "启动器失败",
            "docker run、timeout 或类似的启动器在命令开始之前就失败了。Kubernetes 的运行时不用 125，所以它来自容器内的程序。",
            &["命令或脚本用的是哪个启动器？它自己的消息在日志里。"],
        ),
        126 => (
            "找到了但无法执行",
            "shell 找到了命令却无法运行：没有执行权限、是目录、挂载为 noexec，或是另一种 CPU 的二进制。规约中的命令写错时，containerd 显示 StartError 和 128，CRI-O 显示没有退出码的 CreateContainerError，cri-dockerd 显示 ContainerCannotRun。",
            &[
                "在镜像里 ls -l 该文件：有执行权限吗？",
                "是否有 noexec 或属主不同的卷盖在上面？",
                "日志里有 \"exec format error\" 或 \"cannot execute binary file\"？那是另一种 CPU 的程序。",
            ],
        ),
        127 => (
            "找不到命令",
            "shell 找不到命令，或加载器找不到共享库。规约中的命令写错时，containerd 显示 StartError 和 128，CRI-O 显示没有退出码的 CreateContainerError，cri-dockerd 显示 ContainerCannotRun 和 127。",
            &[
                "日志会写出命令：它在这个镜像里、在 PATH 里吗？",
                "日志里有 \"error while loading shared libraries\"？那是缺少库，或混用了 glibc 与 musl。",
                "脚本明明存在？它的 #! 行指向缺失的解释器，或以回车符（CRLF）结尾。",
            ],
        ),
        128 => (
            "无法启动",
            "containerd 对从未运行起来的容器所用的码（原因 StartError，开始时间 1970 年）：找不到命令、没有权限、挂载错误，或内存上限小到无法启动。某些 shell 在 exit 参数错误时也以 128 结束。",
            &[
                "terminated 状态的 message 里有运行时的原话。",
                "原因是 Error 而不是 StartError？那是里面的程序以 128 结束：git 遇到致命错误就会这样。",
            ],
        ),
        255 => (
            "-1，或未知",
            "exit(-1)，或程序自定义的码：Go 的 klog.Fatal 和 glog.Fatal、perl 的 die、ssh 连接失败。另有三种来自基础设施的含义：runc 无法执行文件（\"exec format error\"，另一种 CPU 的二进制）；节点或运行时重启后 containerd 丢失了容器（原因 Unknown）；退出码丢失，用 255 代替。",
            &[
                "原因为 Unknown，或多个容器在同一秒结束？那是节点或其运行时重启。",
                "日志只有一行 \"exec format error\"？那是另一种 CPU，或脚本缺少 #! 行。",
                "否则查看日志末尾：kubectl logs --previous。",
            ],
        ),
        129..=254 => ("程序自定义", "只有该程序的手册才能解释的退出码：它不对应任何信号。", &["先查该程序的手册，再看它的日志。"]),
        _ => (
            "程序自定义",
            "只有该程序的手册才能解释的退出码。例如：Node.js 5 是 V8 致命错误、7 是处理函数失败、9 是参数错误；curl 6 是主机名、7 是连接、22 是 HTTP 错误、28 是超时；rsync 23 和 24 是部分传输。",
            &["先查该程序的手册，再看它的日志：kubectl logs --previous。"],
        ),
    }
}
