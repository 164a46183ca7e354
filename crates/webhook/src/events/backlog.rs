//! Which Event is written next, and when. An object is written about at once, and then once a minute at the most; what comes meanwhile is
//! counted, and of different messages the last one stands.

use super::note::Note;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Between two Events about the same object.
pub(super) const PAUSE: Duration = Duration::from_mins(1);
/// So many objects are known at a time.
const OBJECTS_MAX: usize = 1024;

/// What is known of the objects that were or will be told of.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    objects: BTreeMap<String, Told>,
}

#[derive(Debug)]
struct Told {
    /// What is to be told, and how often it was seen.
    waiting: Option<(Note, u32)>,
    /// What was told, how often it was seen by then, and when.
    last: Option<(Note, u32, Instant)>,
}

impl Told {
    fn due_at(&self, now: Instant) -> Option<Instant> {
        self.waiting.as_ref()?;
        Some(self.last.as_ref().map_or(now, |(_, _, at)| *at + PAUSE))
    }
}

/// An Event to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) note: Note,
    /// How often it was seen.
    pub(super) count: u32,
    /// It is there already, and only its count changes.
    pub(super) is_known: bool,
}

impl Backlog {
    /// Notes it; false where too many objects wait.
    pub(super) fn add(&mut self, note: Note, now: Instant) -> bool {
        let key = note.key();
        if !self.objects.contains_key(&key) && !self.has_room(now) {
            return false;
        }
        let told = self.objects.entry(key).or_insert(Told { waiting: None, last: None });
        let seen = match &told.waiting {
            Some((waiting, seen)) if waiting.says(&note) => seen.saturating_add(1),
            _ => 1,
        };
        told.waiting = Some((note, seen));
        true
    }

    /// The next Event to be written, if one is due.
    pub(super) fn take(&mut self, now: Instant) -> Option<Due> {
        let due = self.objects.values_mut().filter(|told| told.due_at(now).is_some_and(|at| at <= now));
        let told = due.min_by_key(|told| told.due_at(now))?;
        let (note, seen) = told.waiting.take()?;
        let before = told.last.as_ref().filter(|(last, ..)| last.says(&note)).map(|(_, count, _)| *count);
        let count = before.unwrap_or(0).saturating_add(seen);
        told.last = Some((note.clone(), count, now));
        Some(Due { note, count, is_known: before.is_some() })
    }

    /// When [`Backlog::take`] is worth another try.
    pub(super) fn next_at(&self, now: Instant) -> Option<Instant> {
        self.objects.values().filter_map(|told| told.due_at(now)).min()
    }

    /// Makes room for one more object if need be: those go that were told of long enough ago, or else the one told of first.
    fn has_room(&mut self, now: Instant) -> bool {
        if self.objects.len() < OBJECTS_MAX {
            return true;
        }
        self.objects.retain(|_, told| told.waiting.is_some() || told.last.as_ref().is_some_and(|(.., at)| *at + PAUSE > now));
        if self.objects.len() >= OBJECTS_MAX {
            let idle = self.objects.iter().filter(|(_, told)| told.waiting.is_none());
            let Some(oldest) = idle.min_by_key(|(_, told)| told.last.as_ref().map(|(.., at)| *at)).map(|(key, _)| key.clone()) else {
                return false;
            };
            self.objects.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{Answer, Outcome};
    use crate::metrics::{Kind, Operation};
    use crate::review;
    use serde_json::json;

    fn note(name: &str, message: &str) -> Note {
        let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "uid": name}});
        let request = json!({"uid": "r", "operation": "CREATE", "namespace": "n", "object": object});
        let body = json!({"kind": "AdmissionReview", "apiVersion": review::API_VERSION, "request": request}).to_string();
        let plain = Answer::plain(Kind::Pod, Operation::Create, Outcome::Allowed);
        Note::of(&review::read(body.as_bytes()).unwrap(), &Answer { warnings: vec![message.to_owned()], ..plain }).unwrap()
    }

    fn due(name: &str, message: &str, count: u32, is_known: bool) -> Due {
        Due { note: note(name, message), count, is_known }
    }

    #[test]
    fn an_object_is_told_of_at_once_and_then_once_a_minute() {
        let start = Instant::now();
        let mut backlog = Backlog::default();
        assert_eq!(backlog.next_at(start), None);
        assert!(backlog.add(note("a", "one"), start));
        assert_eq!(backlog.next_at(start), Some(start));
        assert_eq!(backlog.take(start), Some(due("a", "one", 1, false)));
        assert_eq!((backlog.take(start), backlog.next_at(start)), (None, None));
        for _ in 0..3 {
            assert!(backlog.add(note("a", "one"), start + Duration::from_secs(1)));
        }
        let next = backlog.next_at(start + Duration::from_secs(1)).unwrap();
        assert_eq!(next, start + PAUSE);
        assert_eq!(backlog.take(next - Duration::from_millis(1)), None);
        assert_eq!(backlog.take(next), Some(due("a", "one", 4, true)), "counted together");
    }

    #[test]
    fn of_different_messages_the_last_one_stands() {
        let start = Instant::now();
        let mut backlog = Backlog::default();
        for (message, taken) in [("one", true), ("two", false), ("one", false), ("three", false)] {
            assert!(backlog.add(note("a", message), start));
            assert_eq!(backlog.take(start).is_some(), taken, "{message}");
        }
        assert_eq!(backlog.take(start + PAUSE), Some(due("a", "three", 1, false)));
        // Another object need not wait for it.
        assert!(backlog.add(note("b", "one"), start + PAUSE));
        assert_eq!(backlog.take(start + PAUSE), Some(due("b", "one", 1, false)));
    }

    #[test]
    fn so_many_objects_are_known_and_no_more() {
        let start = Instant::now();
        let mut backlog = Backlog::default();
        for number in 0..OBJECTS_MAX {
            assert!(backlog.add(note(&number.to_string(), "one"), start));
        }
        assert!(!backlog.add(note("more", "one"), start), "all of them wait");
        assert!(backlog.add(note("7", "two"), start), "it has its place");
        let taken = backlog.take(start).unwrap();
        assert!(backlog.add(note("more", "one"), start), "one was told of, and need not be known any more");
        assert_eq!(backlog.objects.len(), OBJECTS_MAX);
        assert!(!backlog.objects.contains_key(&taken.note.key()));
        while backlog.take(start).is_some() {}
        assert!(backlog.add(note("later", "one"), start + PAUSE));
        assert_eq!(backlog.objects.len(), 1, "what was told of a minute ago is forgotten");
    }
}
