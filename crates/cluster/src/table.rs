//! The objects of one kind.

use crate::object::{Kept, Object};
use podsight_rules::is_near;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// The most names that are compared in search of a slip.
const MOST_COMPARED: usize = 256;

type Names = BTreeMap<Box<str>, Kept>;

/// The objects of one kind, and whether they are all there are.
#[derive(Debug, Default)]
pub struct Table {
    complete: Complete,
    /// Whether changes may have been missed: then nothing is complete.
    is_stale: bool,
    namespaces: BTreeMap<Box<str>, Names>,
    /// Bytes, roughly.
    weight: usize,
}

#[derive(Debug, Default)]
enum Complete {
    #[default]
    No,
    In(BTreeSet<Box<str>>),
    Everywhere,
}

impl Table {
    /// All objects of the cluster: none so far, and those that are inserted from now on.
    pub fn complete() -> Self {
        Self { complete: Complete::Everywhere, ..Self::default() }
    }

    /// Adds an object, or puts it in the place of the one of its name.
    pub fn insert(&mut self, object: Object) {
        let weight = object.weight();
        self.weight = self.weight.saturating_add(weight);
        let (name, kept) = (object.name, object.kept);
        let lengths = object.namespace.len() + name.len();
        if let Some(old) = self.namespaces.entry(object.namespace).or_default().insert(name, kept) {
            self.weight = self.weight.saturating_sub(old.weight(lengths));
        }
    }

    /// About how many bytes the objects take.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// Changes may have been missed: from now on nothing is known to be absent.
    pub(crate) fn suspend(&mut self) {
        self.is_stale = true;
    }

    pub(crate) fn of(objects: impl IntoIterator<Item = Object>) -> Self {
        let mut table = Self::complete();
        for object in objects {
            table.insert(object);
        }
        table
    }

    /// These are all objects of one namespace.
    pub(crate) fn fill(&mut self, namespace: &str, objects: impl IntoIterator<Item = Object>) {
        for object in objects {
            self.insert(object);
        }
        match &mut self.complete {
            Complete::No => self.complete = Complete::In(BTreeSet::from([namespace.into()])),
            Complete::In(namespaces) => drop(namespaces.insert(namespace.into())),
            Complete::Everywhere => {}
        }
    }

    pub(crate) fn remove(&mut self, namespace: &str, name: &str) {
        if let Some(names) = self.namespaces.get_mut(namespace) {
            if let Some(old) = names.remove(name) {
                self.weight = self.weight.saturating_sub(old.weight(namespace.len() + name.len()));
            }
            if names.is_empty() {
                self.namespaces.remove(namespace);
            }
        }
    }

    /// Whether all objects of the namespace are here.
    pub(crate) fn is_complete(&self, namespace: &str) -> bool {
        match &self.complete {
            _ if self.is_stale => false,
            Complete::No => false,
            Complete::In(namespaces) => namespaces.contains(namespace),
            Complete::Everywhere => true,
        }
    }

    pub(crate) fn get(&self, namespace: &str, name: &str) -> Option<&Kept> {
        self.namespaces.get(namespace)?.get(name)
    }

    pub(crate) fn all(&self, namespace: &str) -> impl Iterator<Item = &Kept> {
        self.namespaces.get(namespace).into_iter().flat_map(BTreeMap::values)
    }

    pub(crate) fn len(&self) -> usize {
        self.namespaces.values().map(BTreeMap::len).sum()
    }

    /// A name of the namespace that is nearly this one. Of many names those are compared that begin alike: few slip at the first letters.
    pub(crate) fn near(&self, namespace: &str, name: &str) -> Option<String> {
        let names = self.namespaces.get(namespace)?;
        let near = |other: &&str| is_near(name, other);
        if names.len() <= MOST_COMPARED {
            return names.keys().map(AsRef::as_ref).find(near).map(str::to_owned);
        }
        let beginning = name.get(..name.len().min(3)).unwrap_or(name);
        let alike = names
            .range::<str, _>((Bound::Included(beginning), Bound::Unbounded))
            .map(|(other, _)| &**other)
            .take_while(|other| other.starts_with(beginning));
        alike.take(MOST_COMPARED).find(near).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_it_has_seen() {
        let mut table = Table::default();
        assert!(!table.is_complete("a"));
        table.fill("a", [Object::named("a", "settings")]);
        assert!(table.is_complete("a") && !table.is_complete("b"));
        assert!(table.get("a", "settings").is_some() && table.get("b", "settings").is_none());
        assert_eq!(table.near("a", "setings").as_deref(), Some("settings"));
        assert_eq!(table.near("b", "setings"), None);
        table.remove("a", "settings");
        assert_eq!((table.len(), table.near("a", "setings")), (0, None));
        assert_eq!(table.weight(), 0);
        let mut table = Table::complete();
        assert!(table.is_complete("anything"));
        table.suspend();
        assert!(!table.is_complete("anything"));
    }

    #[test]
    fn a_slip_is_found_among_very_many_names() {
        let table = Table::of(
            (0..50_000).map(|number| Object::named("a", &format!("cm-{number}-zone"))).chain([Object::named("a", "web-settings")]),
        );
        assert_eq!(table.len(), 50_001);
        assert_eq!(table.near("a", "web-setings").as_deref(), Some("web-settings"));
        assert_eq!(table.near("a", "cm-70000-zone"), None);
    }
}
