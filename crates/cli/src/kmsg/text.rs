//! The report for people: the answer in the first line, then one paragraph an incident.

use super::advice::{advice, infrastructure};
use super::analysis::{Analysis, Incident, Place};
use super::timeline::{MANY, timeline};
use super::words::{place, process, say, shown, size_kb, time};
use anstyle::Style;
use podsight_cause::Lang;
use podsight_cgroup::Scope;
use podsight_oom::{Kill, NoKill, Report};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// So many incidents are told one by one; of more, those that are alike are told together.
const MAX_PARAGRAPHS: usize = 20;
const BOLD: Style = Style::new().bold();

/// The whole report.
pub(super) fn report(analysis: &Analysis, lang: Lang) -> String {
    let incidents = analysis.by_incident();
    let mut text = String::new();
    line(&mut text, &format!("{BOLD}{}{BOLD:#}", answer(analysis, &incidents, lang)));
    if incidents.len() >= MANY {
        line(&mut text, "");
        text += &timeline(&incidents, lang);
    }
    for (number, alike) in paragraphs(&incidents).into_iter().enumerate() {
        line(&mut text, "");
        paragraph(&mut text, number + 1, &alike, lang);
    }
    rest(&mut text, analysis, lang);
    text
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// How many, and at which limits.
fn answer(analysis: &Analysis, incidents: &[Incident<'_>], lang: Lang) -> String {
    let kills = analysis.kills.len();
    if kills == 0 {
        return match analysis.incomplete.len() {
            0 => say(lang, "No OOM kill in this log.", "日志中没有 OOM 终止。").to_owned(),
            reports => match lang {
                Lang::En => format!("No OOM kill in this log, but {reports} report{} whose kill line is missing.", plural(reports)),
                Lang::Zh => format!("日志中没有 OOM 终止，但有 {reports} 份报告缺少终止行。"),
            },
        };
    }
    let mut scopes: BTreeMap<Option<Scope>, usize> = BTreeMap::new();
    for incident in incidents {
        if let Some(first) = incident.kills.first() {
            *scopes.entry(Place::of(first).scope).or_default() += 1;
        }
    }
    // From the narrow to the wide, and what is not known last.
    let unknown = scopes.remove_entry(&None);
    let parts: Vec<String> = scopes.into_iter().chain(unknown).map(|(scope, count)| format!("{count} {}", at_limit(scope, lang))).collect();
    let incidents = incidents.len();
    match lang {
        Lang::En => format!("{kills} OOM kill{} in {incidents} incident{}: {}.", plural(kills), plural(incidents), parts.join(", ")),
        Lang::Zh => format!("{incidents} 次事件，共 {kills} 个进程被 OOM 终止：{}。", parts.join("，")),
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn at_limit(scope: Option<Scope>, lang: Lang) -> &'static str {
    match scope {
        Some(Scope::Container) => say(lang, "at a container's own limit", "次达到容器自身限额"),
        Some(Scope::Pod) => say(lang, "at the limit of a pod", "次达到 Pod 限额"),
        Some(Scope::Qos) => say(lang, "at the limit of a QoS class", "次达到 QoS 级别限额"),
        Some(Scope::NodeAllocatable) => say(lang, "for want of allocatable memory on the node", "次因节点可分配内存用尽"),
        Some(Scope::Node) => say(lang, "because the node ran out of memory", "次因节点内存耗尽"),
        Some(Scope::Cgroup) => say(lang, "at a limit that is not Kubernetes'", "次达到非 Kubernetes 的限额"),
        None => say(lang, "at an unknown limit", "次限额不详"),
    }
}

/// Few incidents one by one; of many, those of one victim's cgroup and limit together.
fn paragraphs<'a, 'b>(incidents: &'b [Incident<'a>]) -> Vec<Vec<&'b Incident<'a>>> {
    if incidents.len() <= MAX_PARAGRAPHS {
        return incidents.iter().map(|incident| vec![incident]).collect();
    }
    let mut order: Vec<Vec<&Incident<'_>>> = Vec::new();
    let mut known = BTreeMap::new();
    for incident in incidents {
        let Some(first) = incident.kills.first() else { continue };
        let key = (first.victim_cgroup.clone(), first.limit_cgroup.clone(), first.global);
        let at = *known.entry(key).or_insert_with(|| {
            order.push(Vec::new());
            order.len() - 1
        });
        if let Some(alike) = order.get_mut(at) {
            alike.push(incident);
        }
    }
    order
}

fn paragraph(text: &mut String, number: usize, alike: &[&Incident<'_>], lang: Lang) {
    // The last of several that are alike knows best how much memory it was, but a report may have been left out: take the last that has one.
    let with_report = alike.iter().rev().find(|incident| incident.kills.iter().any(|kill| kill.report.is_some()));
    let Some((incident, kill)) = with_report.or_else(|| alike.last()).and_then(|incident| Some((incident, incident.kills.first()?))) else {
        return;
    };
    let at = Place::of(kill);
    let label = |text: &mut String, english: &str, chinese: &str, value: &str| {
        // Chinese characters take two columns each.
        let width = match lang {
            Lang::En => format!("{english:<9}"),
            Lang::Zh => format!("{chinese}{}", " ".repeat(9_usize.saturating_sub(2 * chinese.chars().count()))),
        };
        line(text, &format!("   {width}{value}"));
    };
    line(text, &format!("{BOLD}{number}. {}{BOLD:#}", headline(alike, incident, kill, &at, lang)));
    if let Some(what) = infrastructure(kill, &at, lang) {
        label(text, "note", "说明", what);
    }
    if incident.kills.len() > 1 {
        let members: Vec<String> = incident.kills.iter().map(|kill| process(kill.comm.as_deref(), kill.pid, lang)).collect();
        label(text, "killed", "终止", &list(&members, 12, lang));
    } else if alike.len() > 1 {
        let members: Vec<String> =
            alike.iter().flat_map(|incident| &incident.kills).map(|kill| process(kill.comm.as_deref(), kill.pid, lang)).collect();
        label(text, "killed", "终止", &list(&members, 12, lang));
    }
    let sharing: Vec<String> =
        incident.kills.iter().flat_map(|kill| &kill.sharing).map(|(pid, comm)| process(Some(comm), Some(*pid), lang)).collect();
    if !sharing.is_empty() {
        let why = say(lang, ", because they share its memory", "，因与其共享内存");
        label(text, "with it", "连带", &(list(&sharing, 12, lang) + why));
    }
    if let Some(memory) = kill.report.as_deref().and_then(|report| memory(report, lang)) {
        label(text, "memory", "内存", &memory);
    }
    if let Some(victim) = victim(kill, lang) {
        label(text, "victim", "进程", &victim);
    }
    if let Some(tasks) = kill.report.as_deref().and_then(|report| tasks(report, kill, lang)) {
        label(text, "tasks", "任务", &tasks);
    }
    if let Some(trigger) = kill.trigger.as_ref().filter(|trigger| trigger.pid.is_some() && trigger.pid != kill.pid) {
        label(text, "trigger", "触发", &process(trigger.comm.as_deref(), trigger.pid, lang));
    }
    if let Some(limit) = &kill.limit_cgroup {
        label(text, "limit", "限额", &shown(limit));
    }
    if let Some(path) = kill.victim_cgroup.as_ref().filter(|path| Some(*path) != kill.limit_cgroup.as_ref()) {
        label(text, "cgroup", "位置", &shown(path));
    }
    label(text, "do", "建议", advice(kill, &at, lang));
}

/// Who was killed, where, and at which limit.
fn headline(alike: &[&Incident<'_>], incident: &Incident<'_>, kill: &Kill, at: &Place, lang: Lang) -> String {
    let whereabouts = place(kill.victim_cgroup.as_deref(), &at.victim, lang);
    let limit = kill.report.as_deref().and_then(|report| report.memory).and_then(|memory| memory.limit_kb).map(size_kb);
    let of = limit.map_or_else(String::new, |limit| match lang {
        Lang::En => format!(" of {limit}"),
        Lang::Zh => format!(" {limit}"),
    });
    let why = match (lang, at.scope) {
        (Lang::En, Some(Scope::Container)) => format!("the container reached its own limit{of}"),
        (Lang::Zh, Some(Scope::Container)) => format!("容器达到自身限额{of}"),
        (Lang::En, Some(Scope::Pod)) => format!("the pod reached its limit{of}"),
        (Lang::Zh, Some(Scope::Pod)) => format!("Pod 达到限额{of}"),
        (Lang::En, Some(Scope::Qos)) => format!("its QoS class reached its limit{of}"),
        (Lang::Zh, Some(Scope::Qos)) => format!("其 QoS 级别达到限额{of}"),
        (Lang::En, Some(Scope::NodeAllocatable)) => format!("all pods together reached the node's allocatable memory{of}"),
        (Lang::Zh, Some(Scope::NodeAllocatable)) => format!("所有 Pod 合计达到节点可分配内存{of}"),
        (Lang::En, Some(Scope::Node)) => "the node ran out of memory".to_owned(),
        (Lang::Zh, Some(Scope::Node)) => "节点内存耗尽".to_owned(),
        (Lang::En, Some(Scope::Cgroup)) => format!("a limit{of} that is not Kubernetes' was reached"),
        (Lang::Zh, Some(Scope::Cgroup)) => format!("达到非 Kubernetes 的限额{of}"),
        (Lang::En, None) if kill.global == Some(false) => "a cgroup's limit was reached, and the log does not tell whose".to_owned(),
        (Lang::Zh, None) if kill.global == Some(false) => "达到某个 cgroup 的限额，日志未说明是哪个".to_owned(),
        (Lang::En, None) => "the log does not tell whether a limit was reached or the node ran out of memory".to_owned(),
        (Lang::Zh, None) => "日志未说明是达到限额还是节点内存耗尽".to_owned(),
    };
    let incidents = alike.len();
    let last = alike.last().and_then(|incident| incident.kills.last()).copied().unwrap_or(kill);
    let first = alike.first().and_then(|incident| incident.kills.first()).copied().unwrap_or(kill);
    let group = incident.kills.len();
    match lang {
        Lang::En if incidents > 1 => format!("{incidents} times in {whereabouts}, {} to {}: {why}.", time(first, lang), time(last, lang)),
        Lang::Zh if incidents > 1 => format!("{whereabouts}，{incidents} 次，{} 至 {}：{why}。", time(first, lang), time(last, lang)),
        Lang::En if group > 1 => format!("{}: {group} processes killed together in {whereabouts}: {why}.", time(kill, lang)),
        Lang::Zh if group > 1 => format!("{}：{whereabouts} 的 {group} 个进程被一并终止：{why}。", time(kill, lang)),
        Lang::En => format!("{}: {} killed in {whereabouts}: {why}.", time(kill, lang), process(kill.comm.as_deref(), kill.pid, lang)),
        Lang::Zh => format!("{}：{whereabouts} 的 {} 被终止：{why}。", time(kill, lang), process(kill.comm.as_deref(), kill.pid, lang)),
    }
}

/// The memory of the limit's owner, by kind.
fn memory(report: &Report, lang: Lang) -> Option<String> {
    let mut parts = Vec::new();
    let kind = |english: &str, chinese: &str, bytes: Option<u64>| {
        bytes.filter(|bytes| *bytes >= 1024).map(|bytes| format!("{} {}", say(lang, english, chinese), size_kb(bytes / 1024)))
    };
    if let Some(memory) = report.memory {
        let used = size_kb(memory.usage_kb);
        let limit = memory.limit_kb.map(size_kb);
        parts.push(match (lang, limit) {
            (Lang::En, Some(limit)) => format!("{used} of {limit} in use"),
            (Lang::Zh, Some(limit)) => format!("已用 {used}，限额 {limit}"),
            (Lang::En, None) => format!("{used} in use"),
            (Lang::Zh, None) => format!("已用 {used}"),
        });
    }
    let stats = report.stats;
    // tmpfs is counted as file memory as well.
    let cache = stats.file.map(|file| file.saturating_sub(stats.shmem.unwrap_or(0)));
    parts.extend(kind("anonymous", "匿名", stats.anon));
    parts.extend(kind("page cache", "页缓存", cache));
    parts.extend(kind("tmpfs", "tmpfs", stats.shmem));
    parts.extend(kind("kernel", "内核", stats.kernel.or_else(|| report.kernel.map(|kernel| kernel.usage_kb.saturating_mul(1024)))));
    parts.extend(kind("swap", "交换", stats.swap));
    if let Some(both) = report.memory_and_swap.filter(|both| both.limit_kb.is_some_and(|limit| both.usage_kb >= limit)) {
        let limit = size_kb(both.usage_kb);
        parts.push(match lang {
            Lang::En => format!("memory and swap together at their limit of {limit}"),
            Lang::Zh => format!("内存加交换达到限额 {limit}"),
        });
    }
    (!parts.is_empty()).then(|| parts.join(say(lang, ", ", "，")))
}

/// What the victim held.
fn victim(kill: &Kill, lang: Lang) -> Option<String> {
    let mut parts = Vec::new();
    for (english, chinese, kb) in [
        ("anonymous", "匿名", kill.anon_rss_kb),
        ("file", "文件", kill.file_rss_kb),
        ("shared", "共享", kill.shmem_rss_kb),
        ("page tables", "页表", kill.pgtables_kb),
    ] {
        parts.extend(kb.map(|kb| format!("{} {}", say(lang, english, chinese), size_kb(kb))));
    }
    parts.extend(kill.uid.map(|uid| format!("uid {uid}")));
    parts.extend(kill.oom_score_adj.map(|adj| format!("oom_score_adj {adj}")));
    if let Some(chosen) = kill.chosen_pid {
        parts.push(match lang {
            Lang::En => format!("a child of the process that was chosen, pid {chosen}"),
            Lang::Zh => format!("被选中的进程 pid {chosen} 的子进程"),
        });
    }
    (!parts.is_empty()).then(|| parts.join(say(lang, ", ", "，")))
}

/// The largest tasks of the table.
fn tasks(report: &Report, kill: &Kill, lang: Lang) -> Option<String> {
    let page_kb = report.page_kb(kill.pid, kill.total_vm_kb);
    let tasks: Vec<String> = report
        .tasks
        .iter()
        .take(5)
        .map(|task| format!("{} {}", process(Some(&task.comm), Some(task.pid), lang), size_kb(task.rss_pages.saturating_mul(page_kb))))
        .collect();
    if tasks.is_empty() {
        return None;
    }
    let shown = tasks.len() as u64;
    let more = report.task_count.saturating_sub(shown);
    let list = tasks.join(say(lang, ", ", "，"));
    Some(match (lang, more) {
        (_, 0) => list,
        (Lang::En, more) => format!("{list}, and {more} more"),
        (Lang::Zh, more) => format!("{list}，另有 {more} 个"),
    })
}

fn list(members: &[String], most: usize, lang: Lang) -> String {
    let shown = members.iter().take(most).cloned().collect::<Vec<_>>().join(say(lang, ", ", "，"));
    let more = members.len().saturating_sub(most);
    match (lang, more) {
        (_, 0) => shown,
        (Lang::En, more) => format!("{shown}, and {more} more"),
        (Lang::Zh, more) => format!("{shown}，另有 {more} 个"),
    }
}

/// What is not a kill, and what is missing.
fn rest(text: &mut String, analysis: &Analysis, lang: Lang) {
    let mut notes = Vec::new();
    for kill in &analysis.incomplete {
        let at = Place::of(kill);
        let whereabouts = place(kill.victim_cgroup.as_deref(), &at.victim, lang);
        notes.push(match lang {
            Lang::En => format!("{}: a report of a kill in {whereabouts} breaks off before its kill line.", time(kill, lang)),
            Lang::Zh => format!("{}：{whereabouts} 的一份终止报告在终止行之前中断。", time(kill, lang)),
        });
    }
    let count = |why: NoKill| analysis.nobody.iter().filter(|nobody| **nobody == why).count();
    for (why, english, chinese) in [
        (NoKill::NoKillable, "memory was out and nobody could be killed", "内存耗尽但无可终止的进程"),
        (NoKill::AlreadyExiting, "the chosen process was exiting already, so nobody was killed", "被选中的进程已在退出，未终止任何进程"),
        (NoKill::Panic, "the machine went down because memory was out", "机器因内存耗尽而崩溃"),
    ] {
        match (lang, count(why)) {
            (_, 0) => {}
            (Lang::En, times) => notes.push(format!("{times} time{}: {english}.", plural(times))),
            (Lang::Zh, times) => notes.push(format!("{times} 次：{chinese}。")),
        }
    }
    for (number, one, many, chinese) in [
        (
            analysis.suppressed,
            "report was left out by the kernel (it prints ten in five seconds); the kill is counted, its cgroup is not in the log.",
            "reports were left out by the kernel (it prints ten in five seconds); the kills are counted, their cgroups are not in the log.",
            "份报告被内核省略（五秒内最多十份）；终止已计数，但日志中没有其 cgroup。",
        ),
        (
            analysis.rejected,
            "record looks like a kill but was not written by the kernel; it is not counted.",
            "records look like a kill but were not written by the kernel; they are not counted.",
            "条记录形似终止但并非内核所写，未计数。",
        ),
        (
            analysis.lost,
            "record is missing between the sequence numbers of this log, and perhaps a kill with it.",
            "records are missing between the sequence numbers of this log, and perhaps kills with them.",
            "条记录按序号缺失，其中可能有终止。",
        ),
    ] {
        match number {
            0 => {}
            1 => notes.push(format!("1 {}", say(lang, one, chinese))),
            number => notes.push(format!("{number} {}", say(lang, many, chinese))),
        }
    }
    let pods = analysis.kills.iter().any(|kill| !Place::of(kill).victim.pod_uids.is_empty());
    if pods {
        let command = "kubectl get pods -A -o custom-columns=NAMESPACE:.metadata.namespace,POD:.metadata.name,UID:.metadata.uid";
        notes.push(match lang {
            Lang::En => format!("The names of the pods: {command}"),
            Lang::Zh => format!("查 Pod 的名称：{command}"),
        });
    }
    if !notes.is_empty() {
        line(text, "");
    }
    for note in notes {
        writeln!(text, "{note}").unwrap_or_default();
    }
}
