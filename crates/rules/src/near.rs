//! Names that are almost the same.

/// Names shorter than this are never near: too many are one letter apart by chance.
const SHORTEST: usize = 4;

/// The longest name that is compared (a name in Kubernetes has at most 253 characters).
const LONGEST: usize = 253;

/// Whether one name is a slip of the other: one letter (two in long names) added, left out, changed or swapped, or one word cut short
/// (`app-config`, `app-configuration`). Numbers that differ are no slip (`shard-1`, `shard-2`).
pub fn is_near(left: &str, right: &str) -> bool {
    if left == right || left.len() < SHORTEST || right.len() < SHORTEST || left.len() > LONGEST || right.len() > LONGEST {
        return false;
    }
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).collect::<Vec<_>>();
    if digits(left) != digits(right) {
        return false;
    }
    let (short, long) = if left.len() < right.len() { (left, right) } else { (right, left) };
    if let Some(rest) = long.strip_prefix(short)
        && short.len() >= 6
        && rest.bytes().all(|byte| byte.is_ascii_alphabetic())
    {
        return true;
    }
    let allowed = if short.len() >= 10 { 2 } else { 1 };
    long.len() - short.len() <= allowed && distance(left, right) <= allowed
}

/// The number of single letters added, left out, changed or swapped with the next (optimal string alignment).
pub(crate) fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let get = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX - 1);
            let mut best = (get(&above, j) + usize::from(a != b)).min(get(&above, j + 1) + 1).min(get(&row, j) + 1);
            let swapped = i > 0 && j > 0 && left.get(i - 1) == Some(b) && right.get(j - 1) == Some(a);
            if swapped {
                best = best.min(get(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_slips_from_other_names() {
        for (left, right) in [
            ("app-config", "app-configuration"),
            ("mysecret", "my-secret"),
            ("db-credentials", "db-credentails"),
            ("web-secret", "web-secrets"),
        ] {
            assert!(is_near(left, right) && is_near(right, left), "{left} {right}");
        }
        for (left, right) in [
            ("shard-1", "shard-2"),
            ("app-config", "app-config-test"),
            ("web", "web"),
            ("redis-auth", "mysql-auth"),
            ("same-name", "same-name"),
        ] {
            assert!(!is_near(left, right), "{left} {right}");
        }
        assert_eq!(distance("wge", "wget"), 1);
        assert_eq!(distance("abcd", "abdc"), 1);
    }
}
