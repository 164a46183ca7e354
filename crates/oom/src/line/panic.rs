//! The machine goes down instead: `System is deadlocked on memory`, `Out of memory: compulsory panic_on_oom is enabled` (`out_of_memory`, `check_panic_on_oom`).

pub(super) fn read(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"Kernel panic - not syncing: ").unwrap_or(text);
    text.starts_with(b"System is deadlocked on memory")
        || text.starts_with(b"Out of memory: ") && text.ends_with(b" panic_on_oom is enabled")
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn forms() {
        assert!(read(b"Kernel panic - not syncing: System is deadlocked on memory"));
        assert!(read(b"Out of memory: compulsory panic_on_oom is enabled"));
        assert!(!read(b"Out of memory: Killed process 1 (panic_on_oom is enabled)"));
    }
}
