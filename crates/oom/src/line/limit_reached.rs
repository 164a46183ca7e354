//! `Memory limit reached of cgroup /a` (`mem_cgroup_print_oom_info` with no task to name, 4.19).

pub(super) fn read(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b"Memory limit reached of cgroup ").filter(|path| path.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn forms() {
        assert_eq!(super::read(b"Memory limit reached of cgroup /a/b c"), Some(&b"/a/b c"[..]));
        assert_eq!(super::read(b"Memory limit reached"), None);
    }
}
