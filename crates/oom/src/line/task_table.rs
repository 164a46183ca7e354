//! The table of tasks that could have been killed (`dump_tasks`). Sizes are pages, but `pgtables_bytes`.
//!
//! ```text
//! [ pid ]   uid  tgid total_vm      rss cpu oom_adj oom_score_adj name                                        2.6.3x
//! [ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name                                   3.9
//! [ pid ]   uid  tgid total_vm      rss nr_ptes nr_pmds swapents oom_score_adj name                           4.4
//! [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name                          4.19
//! [  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name   6.10
//! ```

use super::scan;

/// A table has no more columns than this.
const MAX_COLUMNS: usize = 16;

/// Which number stands where, by the header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// Columns between the pid and the name.
    pub count: usize,
    total_vm: Option<usize>,
    rss: Option<usize>,
    uid: Option<usize>,
    tgid: Option<usize>,
    oom_score_adj: Option<usize>,
}

/// One task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The process id.
    pub pid: u32,
    /// The id of its thread group.
    pub tgid: Option<u32>,
    /// The user id.
    pub uid: Option<u32>,
    /// Virtual size in pages.
    pub total_vm_pages: Option<u64>,
    /// Resident memory in pages.
    pub rss_pages: Option<u64>,
    /// `oom_score_adj`.
    pub oom_score_adj: Option<i32>,
    /// Its name.
    pub comm: &'a [u8],
}

pub(super) fn read(text: &[u8]) -> Option<Columns> {
    let (pid, rest) = scan::split_once(text.strip_prefix(b"[")?, b"]")?;
    (pid.trim_ascii() == b"pid").then_some(())?;
    let mut columns = Columns::default();
    for word in rest.split(|byte| *byte == b' ').filter(|word| !word.is_empty()) {
        let place = Some(columns.count);
        match word {
            b"name" => return (columns.rss.is_some() && columns.count <= MAX_COLUMNS).then_some(columns),
            b"total_vm" => columns.total_vm = place,
            b"rss" => columns.rss = place,
            b"uid" => columns.uid = place,
            b"tgid" => columns.tgid = place,
            b"oom_score_adj" => columns.oom_score_adj = place,
            _ => {}
        }
        columns.count += 1;
    }
    None
}

/// A row of the table with these columns. The name is the rest of the line and may hold anything.
pub fn row<'a>(text: &'a [u8], columns: &Columns) -> Option<Row<'a>> {
    let rest = text.strip_prefix(b"[")?.trim_ascii_start();
    let (pid, rest) = scan::id(rest)?;
    let mut rest = rest.strip_prefix(b"]")?;
    let mut values = [None; MAX_COLUMNS];
    for value in values.iter_mut().take(columns.count) {
        let (number, after) = scan::signed(rest.trim_ascii_start())?;
        *value = Some(number);
        rest = after;
    }
    let at = |place: Option<usize>| place.and_then(|place| values.get(place).copied().flatten());
    Some(Row {
        pid,
        tgid: at(columns.tgid).and_then(|value| u32::try_from(value).ok()),
        uid: at(columns.uid).and_then(|value| u32::try_from(value).ok()),
        total_vm_pages: at(columns.total_vm).and_then(|value| u64::try_from(value).ok()),
        rss_pages: at(columns.rss).and_then(|value| u64::try_from(value).ok()),
        oom_score_adj: at(columns.oom_score_adj).and_then(|value| i32::try_from(value).ok()),
        comm: rest.strip_prefix(b" ").unwrap_or(rest),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_all_ages() {
        for (header, line, adj) in [
            (
                "[ pid ]   uid  tgid total_vm      rss cpu oom_adj oom_score_adj name",
                "[13536] 275858 13536  8389663      343   1       0             7 a b",
                7,
            ),
            (
                "[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name",
                "[13536] 275858 13536  8389663      343   16267  8324326             0 a b",
                0,
            ),
            (
                "[ pid ]   uid  tgid total_vm      rss nr_ptes nr_pmds swapents oom_score_adj name",
                "[13536] 275858 13536   8389663     343      34       4     5489             0 a b",
                0,
            ),
            (
                "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
                "[  13536] 275858 13536    8389663      343    98304        0         -1000 a b",
                -1000,
            ),
            (
                "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name",
                "[  13536] 275858 13536    8389663     343      402        0       601    65536        0           988 a b",
                988,
            ),
        ] {
            let columns = read(header.as_bytes()).unwrap();
            let row = row(line.as_bytes(), &columns).unwrap();
            assert_eq!(
                (row.pid, row.uid, row.tgid, row.total_vm_pages, row.rss_pages),
                (13536, Some(275_858), Some(13536), Some(8_389_663), Some(343)),
                "{header}"
            );
            assert_eq!((row.oom_score_adj, row.comm), (Some(adj), &b"a b"[..]));
        }
    }

    #[test]
    fn what_is_no_table() {
        assert_eq!(read(b"[ pid ] is a column"), None);
        assert_eq!(read(b"[12345] x"), None);
        assert_eq!(row(b"[  1 ] 2 3", &Columns { count: 8, ..Columns::default() }), None);
    }
}
