//! What the registry of the examples and fixtures says.

use podsight_rules::{Bundle, ImageAnswer};

/// Notes its answers.
pub(crate) fn add(bundle: &mut Bundle) {
    let present = |platforms: &[&str]| ImageAnswer::Present { platforms: platforms.iter().map(|&platform| platform.to_owned()).collect() };
    bundle.add_image("registry.example.com/app:1.0", present(&["linux/amd64", "linux/arm64"]));
    bundle.add_image("registry.example.com/app:amd64", present(&["linux/amd64"]));
    bundle.add_image("registry.example.com/app:absent", ImageAnswer::Absent);
}
