//! The catalogue: one line a rule, in the order in which findings are shown.

use crate::rule::Rule;
use crate::{image, memory, security};

/// All rules, in the order of the catalogue.
pub static RULES: &[&dyn Rule] = &[
    &image::image_invalid::ImageInvalid,
    &memory::memory_tiny::MemoryTiny,
    &memory::heap_over_limit::HeapOverLimit,
    &security::root_contradiction::RootContradiction,
];

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static dyn Rule> {
    RULES.iter().copied().find(|rule| rule.id() == id)
}
