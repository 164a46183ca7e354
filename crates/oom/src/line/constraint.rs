//! `oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=…,mems_allowed=0,oom_memcg=/a,task_memcg=/a/b,task=x,pid=1,uid=0`
//! (`dump_oom_summary`, 5.0). It names trigger, owner of the limit and victim, and is left out with the report.

use super::scan;
use super::{Line, Reading};
use crate::Constraint;

/// What the line says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConstraintLine<'a> {
    /// What the allocation was constrained by.
    pub constraint: Option<Constraint>,
    /// The last component of the trigger's cpuset cgroup.
    pub cpuset: Option<&'a [u8]>,
    /// The machine's memory was out, not a cgroup's.
    pub global: bool,
    /// The cgroup whose limit was reached.
    pub limit: Option<&'a [u8]>,
    /// The victim's cgroup.
    pub victim: Option<&'a [u8]>,
    /// The victim's name.
    pub comm: Option<&'a [u8]>,
    /// The victim's process id; absent where the line breaks off.
    pub pid: Option<u32>,
    /// The victim's user id.
    pub uid: Option<u32>,
    /// `/victim,task=name`: where the name holds `,task=` too, only the kill line can tell where the path ends.
    pub victim_and_task: Option<&'a [u8]>,
}

impl<'a> ConstraintLine<'a> {
    /// The victim's cgroup, if its name is `comm`.
    pub fn victim_of(&self, comm: &[u8]) -> Option<&'a [u8]> {
        self.victim_and_task?.strip_suffix(comm)?.strip_suffix(b",task=")
    }
}

pub(super) fn read(text: &[u8]) -> Reading<'_> {
    let Some(rest) = text.strip_prefix(b"oom-kill:") else {
        return Reading::No;
    };
    let Some(rest) = rest.strip_prefix(b"constraint=") else {
        return if b"constraint=".starts_with(rest) { Reading::Start(None) } else { Reading::No };
    };
    let length = rest.iter().take_while(|byte| byte.is_ascii_uppercase() || **byte == b'_').count();
    let (name, rest) = rest.split_at_checked(length).unwrap_or((rest, b""));
    let mut line = ConstraintLine { constraint: Constraint::of(name), ..ConstraintLine::default() };
    // The end first: the numbers are the kernel's own, and nobody can put anything after them.
    let body = match ends(rest) {
        Some((body, pid, uid)) => {
            line.pid = Some(pid);
            line.uid = Some(uid);
            body
        }
        None => rest,
    };
    // A cgroup's name has no slash, so this is the first place where a path can begin.
    let (head, paths) = if let Some(at) = memchr::memmem::find(body, b",oom_memcg=/") {
        (body.get(..at), body.get(at + b",oom_memcg=".len()..).map(|paths| (true, paths)))
    } else if let Some(at) = memchr::memmem::find(body, b",global_oom,task_memcg=/") {
        line.global = true;
        (body.get(..at), body.get(at + b",global_oom,task_memcg=".len()..).map(|paths| (false, paths)))
    } else if let Some(at) = memchr::memmem::find(body, b",task=") {
        // A kernel without memory cgroups.
        line.global = true;
        line.comm = body.get(at + b",task=".len()..).filter(|_| line.pid.is_some());
        (body.get(..at), None)
    } else {
        line.global = memchr::memmem::find(body, b",global_oom").is_some();
        (Some(body), None)
    };
    if let Some((_, after)) = head.and_then(|head| scan::split_once(head, b",cpuset=")) {
        line.cpuset = Some(scan::rsplit_once(after, b",mems_allowed=").map_or(after, |(cpuset, _)| cpuset));
    }
    let whole = line.pid.is_some();
    if let Some((has_limit, paths)) = paths {
        let victim_and_task = if has_limit {
            let (limit, rest) = cut_limit(paths);
            // A path that the line breaks off in is not known.
            line.limit = rest.and(Some(limit));
            rest
        } else {
            Some(paths)
        };
        line.victim_and_task = victim_and_task.filter(|_| whole);
        if let Some((victim, comm)) = line.victim_and_task.and_then(|rest| scan::rsplit_once(rest, b",task=")) {
            line.victim = Some(victim);
            line.comm = Some(comm);
        }
    }
    if whole { Reading::Whole(Line::Constraint(line)) } else { Reading::Start(Some(Line::Constraint(line))) }
}

/// `…,pid=1,uid=0` at the end. A later kernel may put further `,key=value` behind it: no name has room for all of that.
fn ends(text: &[u8]) -> Option<(&[u8], u32, u32)> {
    let (rest, uid) = scan::rsplit_once(text, b",uid=")?;
    let (uid, after) = scan::id(uid)?;
    let (body, pid) = scan::rsplit_once(rest, b",pid=")?;
    let (pid, between) = scan::id(pid)?;
    let key_and_value = |part: &[u8]| {
        let key = part.iter().take_while(|byte| byte.is_ascii_lowercase() || **byte == b'_').count();
        key > 0 && part.get(key) == Some(&b'=')
    };
    let known_end = after.is_empty() || after.strip_prefix(b",").is_some_and(|after| after.split(|byte| *byte == b',').all(key_and_value));
    (known_end && between.is_empty()).then_some((body, pid, uid))
}

/// Cuts `/limit,task_memcg=/limit/below,task=…`. A cgroup may have these words in its name; the victim's path lies below the limit's, so that only
/// the right place to cut makes the second path begin like the first.
fn cut_limit(paths: &[u8]) -> (&[u8], Option<&[u8]>) {
    const WORDS: &[u8] = b",task_memcg=";
    let mut searched = 0;
    while let Some(found) = paths.get(searched..).and_then(|rest| memchr::memmem::find(rest, WORDS)) {
        let at = searched + found;
        let (limit, rest) = (paths.get(..at).unwrap_or_default(), paths.get(at + WORDS.len()..).unwrap_or_default());
        let after = rest.strip_prefix(limit);
        if limit == b"/" || after.is_some_and(|after| after.is_empty() || after.starts_with(b"/") || after.starts_with(b",task=")) {
            return (limit, Some(rest));
        }
        searched = at + 1;
    }
    // The victim has been moved elsewhere since.
    scan::split_once(paths, WORDS).map_or((paths, None), |(limit, rest)| (limit, Some(rest)))
}

/// Whether `text` may be the rest of a line that breaks off: the kernel prints it in pieces, and before 5.10 another processor's line could come
/// between them; and a record has room for about 1,000 bytes only.
pub(crate) fn continues(text: &[u8]) -> bool {
    [&b",nodemask="[..], b",cpuset=", b",mems_allowed=", b",oom_memcg=", b",global_oom", b",task_memcg=", b",task=", b"/"]
        .iter()
        .any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn whole(text: &str) -> ConstraintLine<'static> {
        match read(text.to_owned().leak().as_bytes()) {
            Reading::Whole(Line::Constraint(line)) => line,
            other => panic!("{text}: {other:?}"),
        }
    }

    const HEAD: &str = "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=cri-containerd-1.scope,mems_allowed=0-1";

    #[test]
    fn a_limit() {
        let line = whole(&format!("{HEAD},oom_memcg=/kubepods/pod1,task_memcg=/kubepods/pod1/2,task=work,pid=98,uid=1001"));
        assert_eq!(
            line,
            ConstraintLine {
                constraint: Some(Constraint::Memcg),
                cpuset: Some(b"cri-containerd-1.scope"),
                global: false,
                limit: Some(b"/kubepods/pod1"),
                victim: Some(b"/kubepods/pod1/2"),
                comm: Some(b"work"),
                pid: Some(98),
                uid: Some(1001),
                victim_and_task: Some(b"/kubepods/pod1/2,task=work"),
            }
        );
    }

    #[test]
    fn the_whole_machine() {
        let line = whole(
            "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=cc1plus,pid=8216,uid=1000",
        );
        assert!(line.global);
        assert_eq!((line.limit, line.victim, line.comm), (None, Some(&b"/"[..]), Some(&b"cc1plus"[..])));
        let line = whole("oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,task=cc1plus,pid=8216,uid=1000");
        assert!(line.global);
        assert_eq!((line.limit, line.victim, line.comm), (None, None, Some(&b"cc1plus"[..])));
        for (name, constraint) in [("CONSTRAINT_CPUSET", Constraint::Cpuset), ("CONSTRAINT_MEMORY_POLICY", Constraint::MemoryPolicy)] {
            let line = whole(&format!(
                "oom-kill:constraint={name},nodemask=2,cpuset=/,mems_allowed=0-2,global_oom,task_memcg=/a,task=b,pid=1,uid=0"
            ));
            assert_eq!(line.constraint, Some(constraint));
        }
    }

    #[test]
    fn names_with_anything_in_them() {
        for comm in ["a,pid=1,uid=0", ",task=x", "a\nb", "", ")", ",uid=0", ",task_memcg=/"] {
            let line = whole(&format!("{HEAD},oom_memcg=/a,task_memcg=/a/b,task={comm},pid=98,uid=0"));
            assert_eq!(line.victim_of(comm.as_bytes()), Some(&b"/a/b"[..]), "{comm}");
            assert_eq!((line.pid, line.limit), (Some(98), Some(&b"/a"[..])), "{comm}");
        }
    }

    #[test]
    fn a_later_kernel_may_say_more() {
        let line = whole(&format!("{HEAD},oom_memcg=/a,task_memcg=/a/b,task=a,pid=1,uid=0,pid=98,uid=7,oom_score=3,x_y=z"));
        assert_eq!((line.pid, line.uid), (Some(98), Some(7)));
        assert_eq!(line.victim_of(b"a,pid=1,uid=0"), Some(&b"/a/b"[..]));
    }

    #[test]
    fn a_path_that_imitates_another() {
        let owner = "/kubepods/pod1/2/x,task_memcg=/kubepods/pod9/9";
        let line = whole(&format!("{HEAD},oom_memcg={owner},task_memcg={owner}/y,task=work,pid=98,uid=0"));
        assert_eq!(line.limit, Some(owner.as_bytes()));
        assert_eq!(line.victim, Some(format!("{owner}/y").as_bytes()));
    }

    #[test]
    fn lines_that_break_off() {
        let text = format!("{HEAD},oom_memcg=/kubepods/pod1,task_memcg=/kubepods/pod1/2,task=work,pid=98");
        assert!(matches!(
            read(text.as_bytes()),
            Reading::Start(Some(Line::Constraint(ConstraintLine { pid: None, limit: Some(_), victim: None, .. })))
        ));
        assert!(matches!(read(HEAD.as_bytes()), Reading::Start(Some(Line::Constraint(_)))));
        assert!(matches!(
            read(format!("{HEAD},oom_memcg=/kube").as_bytes()),
            Reading::Start(Some(Line::Constraint(ConstraintLine { limit: None, .. })))
        ));
        assert_eq!(read(b"oom-kill:con"), Reading::Start(None));
        assert_eq!(read(b"oom-kill: something else"), Reading::No);
    }
}
