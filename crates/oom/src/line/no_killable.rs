//! `Out of memory and no killable processes...` (`out_of_memory`): no kill.

pub(super) fn read(text: &[u8]) -> bool {
    text.starts_with(b"Out of memory and no killable processes")
        || text.starts_with(b"Memory cgroup out of memory and no killable processes")
}

#[cfg(test)]
mod tests {
    #[test]
    fn forms() {
        assert!(super::read(b"Out of memory and no killable processes..."));
        assert!(!super::read(b"Out of memory: Killed process 1 (x)"));
    }
}
