//! How many kills of each cgroup are accounted for.

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// So many digits of an id tell one container of a pod from another.
const KEY_DIGITS: usize = 12;
/// Cgroups that are kept, of one pod, besides those that are there now.
const MAX_PAST: usize = 12;
/// Cgroups that are kept in any case. A pod with so many containers that were killed has never been seen.
const MAX: usize = 48;

/// Kills by the first digits of a container's id, or of the pod's UID; the cgroup whose last kill is the oldest comes first, here as in the JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted(Vec<(String, u64)>);

impl Counted {
    /// How many kills of this cgroup, by a container's id or a pod's UID.
    pub fn get(&self, key: &str) -> Option<u64> {
        let key = shortened(key);
        self.0.iter().find(|(known, _)| known == key).map(|(_, kills)| *kills)
    }

    /// Accounts for more kills of this cgroup. Where there are too many, the oldest goes that is not `is_current`.
    pub fn add(&mut self, key: &str, kills: u64, is_current: impl Fn(&str) -> bool) {
        let key = shortened(key);
        let before = match self.0.iter().position(|(known, _)| known == key) {
            Some(place) => self.0.remove(place).1,
            None => 0,
        };
        self.0.push((key.to_owned(), before.saturating_add(kills)));
        let is_past = |known: &str| known != key && !is_current(known);
        while self.0.iter().filter(|(known, _)| is_past(known)).count() > MAX_PAST {
            let Some(oldest) = self.0.iter().position(|(known, _)| is_past(known)) else { break };
            self.0.remove(oldest);
        }
        if self.0.len() > MAX {
            let oldest = self.0.iter().position(|(known, _)| is_past(known)).unwrap_or(0);
            self.0.remove(oldest);
        }
    }

    /// Whether nothing is accounted for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps what can be ours: short keys without strange characters, and the newest of too many.
    pub(crate) fn bound(&mut self, is_name: impl Fn(&str) -> bool) {
        self.0.retain(|(key, _)| key.len() <= KEY_DIGITS && is_name(key));
        let surplus = self.0.len().saturating_sub(MAX);
        self.0.drain(..surplus);
    }
}

fn shortened(key: &str) -> &str {
    key.get(..KEY_DIGITS).unwrap_or(key)
}

impl Serialize for Counted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, kills)| (key, kills)))
    }
}

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Counted;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of numbers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Counted, A::Error> {
                let mut counted: Vec<(String, u64)> = Vec::new();
                while let Some((key, kills)) = map.next_entry::<String, u64>()? {
                    // Whoever writes a key twice means the last one.
                    counted.retain(|(known, _)| *known != key);
                    counted.push((key, kills));
                }
                Ok(Counted(counted))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An id whose order is not that of time.
    fn id(n: u64) -> String {
        format!("{:012x}rest", n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16)
    }

    #[test]
    fn the_oldest_goes_first_and_what_is_there_now_never() {
        let mut counted = Counted::default();
        // Fifteen containers that are there now, killed once each, long ago.
        let current: Vec<String> = (1000..1015).map(id).collect();
        let is_current = |known: &str| current.iter().any(|id| id.starts_with(known));
        for id in &current {
            counted.add(id, 1, is_current);
        }
        for n in 0..100 {
            counted.add(&id(n), 1, is_current);
        }
        assert!(current.iter().all(|id| counted.get(id) == Some(1)));
        let left: Vec<u64> = (0..100).filter(|n| counted.get(&id(*n)).is_some()).collect();
        assert_eq!(left, (87..100).collect::<Vec<_>>(), "the last one and twelve before it");
    }

    #[test]
    fn the_order_survives_writing_and_reading() {
        let mut counted = Counted::default();
        for key in ["b", "a", "c", "b"] {
            counted.add(key, 2, |_| true);
        }
        let text = serde_json::to_string(&counted).unwrap();
        assert_eq!(text, r#"{"a":2,"c":2,"b":4}"#);
        assert_eq!(serde_json::from_str::<Counted>(&text).unwrap(), counted);
        assert_eq!(serde_json::from_str::<Counted>(r#"{"a":1,"b":2,"a":3}"#).unwrap().0, [("b".to_owned(), 2), ("a".to_owned(), 3)]);
    }

    #[test]
    fn it_is_bounded_whatever_is_there_now() {
        let mut counted = Counted::default();
        for n in 0..1_000 {
            counted.add(&id(n), 1, |_| true);
        }
        assert_eq!(counted.0.len(), MAX);
        assert_eq!(counted.get(&id(999)), Some(1));
        let mut foreign: Counted = serde_json::from_str(r#"{"../../../etc/passwd":1,"a":2,"":3}"#).unwrap();
        foreign.bound(|key| !key.is_empty());
        assert_eq!(foreign.0, [("a".to_owned(), 2)]);
    }
}
