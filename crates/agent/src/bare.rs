//! Kill lines without a report: which container each belongs to, by the containers' own counters.

/// So many more kills than known has a container's counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excess {
    /// The pod's UID in the API.
    pub uid: String,
    /// The container's name.
    pub container: String,
    /// The counter's key.
    pub key: String,
    /// How many.
    pub kills: u64,
}

/// One kill line put down to a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which of the waiting kill lines, from 0, the oldest.
    pub index: usize,
    /// Which of the excesses.
    pub of: usize,
    /// Whether it is sure that this very process was that container's. Otherwise only the number is.
    pub is_certain: bool,
}

/// Shares out `waiting` kill lines among the containers whose counters have moved.
///
/// The counters have to be read before the log is: then every count beyond the known ones has its line among those that wait, and no container is given
/// more than it lost. Where only one has moved and all lines are its own, each process is known; otherwise only how many each lost. With more counts than
/// lines (a line that is about to come, or is lost) nothing is shared out unless `must` is set: then lines are lost and the largest excess has the rest.
pub fn share(waiting: usize, excesses: &[Excess], must: bool) -> Vec<Share> {
    let total = excesses.iter().fold(0_u64, |sum, excess| sum.saturating_add(excess.kills));
    let lines = u64::try_from(waiting).unwrap_or(u64::MAX);
    if total > lines && !must {
        return Vec::new();
    }
    let is_certain = excesses.len() == 1 && total == lines;
    let mut left: Vec<u64> = excesses.iter().map(|excess| excess.kills).collect();
    let mut shares = Vec::with_capacity(waiting);
    for index in 0..waiting {
        // The one with most left: so the shares of all grow evenly over the time of the storm.
        let Some((of, kills)) = left.iter_mut().enumerate().max_by_key(|(_, kills)| **kills) else { break };
        if *kills == 0 {
            break;
        }
        *kills -= 1;
        shares.push(Share { index, of, is_certain });
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn excess(uid: &str, kills: u64) -> Excess {
        Excess { uid: uid.to_owned(), container: "main".to_owned(), key: uid.to_owned(), kills }
    }

    fn counts(shares: &[Share], of: usize) -> usize {
        shares.iter().filter(|share| share.of == of).count()
    }

    #[test]
    fn one_container_that_moved_has_them_all() {
        let shares = share(3, &[excess("a", 3)], false);
        assert_eq!(shares.len(), 3);
        assert!(shares.iter().all(|share| share.is_certain));
    }

    #[test]
    fn of_several_only_the_numbers_are_known() {
        let shares = share(7, &[excess("a", 3), excess("b", 4)], false);
        assert_eq!((counts(&shares, 0), counts(&shares, 1)), (3, 4));
        assert!(shares.iter().all(|share| !share.is_certain));
    }

    #[test]
    fn lines_beyond_the_counts_wait() {
        let shares = share(5, &[excess("a", 2)], false);
        assert_eq!(shares.iter().map(|share| share.index).collect::<Vec<_>>(), [0, 1]);
        assert!(shares.iter().all(|share| !share.is_certain));
    }

    #[test]
    fn more_counts_than_lines_are_not_guessed_at_before_time() {
        assert_eq!(share(2, &[excess("a", 2), excess("b", 2)], false), []);
        assert_eq!(share(2, &[excess("a", 2), excess("b", 2)], true).len(), 2);
        assert_eq!(share(0, &[excess("a", 9)], true), []);
    }

    proptest! {
        /// No container is ever given more than its counter shows, and no line is given twice.
        #[test]
        fn nobody_is_given_too_much(waiting in 0_usize..60, kills in proptest::collection::vec(1_u64..20, 0..8), must: bool) {
            let excesses: Vec<_> = kills.iter().map(|kills| excess("a", *kills)).collect();
            let shares = share(waiting, &excesses, must);
            for (of, excess) in excesses.iter().enumerate() {
                prop_assert!(counts(&shares, of) as u64 <= excess.kills);
            }
            let mut indices: Vec<_> = shares.iter().map(|share| share.index).collect();
            indices.dedup();
            prop_assert_eq!(indices.len(), shares.len());
        }
    }
}
