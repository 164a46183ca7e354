//! The keys of a ConfigMap or a Secret as hashes: enough to tell whether a key is there, too little to tell what it is called.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher as _;

/// More keys than an object of 1 MiB of names has in practice; beyond them nothing is said about the object's keys.
const MOST: usize = 4096;
/// Longer keys are not searched for slips: the search grows with the length.
const LONGEST_SEARCHED: usize = 64;
/// A key that is shorter is one letter away from too many.
const SHORTEST_SEARCHED: usize = 4;
/// What keys are made of (`apimachinery/pkg/util/validation: configMapKeyFmt`).
const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

/// The hashes of an object's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys(Box<[u64]>);

impl Keys {
    /// The hashes of these keys; `None` for more than can be kept.
    pub fn of<'k>(keys: impl IntoIterator<Item = &'k str>) -> Option<Self> {
        let mut hashes: Vec<u64> = keys.into_iter().take(MOST + 1).map(hash).collect();
        hashes.sort_unstable();
        (hashes.len() <= MOST).then(|| Self(hashes.into_boxed_slice()))
    }

    /// The bytes of the hashes.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }

    /// Whether the key is among them.
    pub fn has(&self, key: &str) -> bool {
        self.0.binary_search(&hash(key)).is_ok()
    }

    /// The key that was probably meant by one that is not there: one letter away, or written with other separators or in another case. All that could
    /// be meant is tried, some thousand hashes.
    pub fn near(&self, key: &str) -> Option<String> {
        if self.0.is_empty() || !(SHORTEST_SEARCHED..=LONGEST_SEARCHED).contains(&key.len()) || !key.is_ascii() {
            return None;
        }
        let variants = ['-', '_', '.'].map(|separator| key.replace(['-', '_', '.'], separator.encode_utf8(&mut [0; 4])));
        let written = variants.iter().flat_map(|variant| [variant.clone(), variant.to_ascii_lowercase(), variant.to_ascii_uppercase()]);
        written
            .chain([key.to_ascii_lowercase(), key.to_ascii_uppercase()])
            .find(|variant| self.has(variant))
            .or_else(|| self.one_letter_away(key))
    }

    fn one_letter_away(&self, key: &str) -> Option<String> {
        let mut bytes = key.as_bytes().to_vec();
        let found = |bytes: &[u8]| std::str::from_utf8(bytes).ok().filter(|key| self.has(key)).map(str::to_owned);
        for at in 0..bytes.len() {
            let letter = bytes.remove(at);
            if let Some(shorter) = found(&bytes) {
                return Some(shorter);
            }
            bytes.insert(at, letter);
            if at > 0 {
                bytes.swap(at - 1, at);
                if let Some(swapped) = found(&bytes) {
                    return Some(swapped);
                }
                bytes.swap(at - 1, at);
            }
        }
        for at in 0..=bytes.len() {
            for letter in ALPHABET {
                // Numbers that differ are no slip: they are other keys of a row.
                let is_number = letter.is_ascii_digit();
                if !is_number {
                    bytes.insert(at, *letter);
                    if let Some(longer) = found(&bytes) {
                        return Some(longer);
                    }
                    bytes.remove(at);
                }
                let replaced = bytes.get(at).copied();
                if let (Some(slot), Some(replaced)) = (bytes.get_mut(at), replaced)
                    && !is_number
                    && !replaced.is_ascii_digit()
                {
                    *slot = *letter;
                    if let Some(changed) = found(&bytes) {
                        return Some(changed);
                    }
                    if let Some(slot) = bytes.get_mut(at) {
                        *slot = replaced;
                    }
                }
            }
        }
        None
    }
}

fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(key.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_among_hashes() {
        let keys = Keys::of(["password", "tls.crt", "DATABASE_URL", "shard-1"]).unwrap();
        assert!(keys.has("password") && !keys.has("passwort"));
        for (asked, near) in [
            ("passwort", Some("password")),
            ("pasword", Some("password")),
            ("passwword", Some("password")),
            ("passwrod", Some("password")),
            ("tls_crt", Some("tls.crt")),
            ("database-url", Some("DATABASE_URL")),
            ("shard-2", None),
            ("username", None),
            ("", None),
        ] {
            assert_eq!(keys.near(asked).as_deref(), near, "{asked}");
        }
        assert_eq!(Keys::of(std::iter::repeat_n("a", MOST + 1)), None);
        assert_eq!(Keys::of([]).unwrap().near("anything"), None);
    }
}
