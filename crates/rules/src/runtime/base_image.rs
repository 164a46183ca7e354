//! Official images that are known well enough to say what they run by themselves.

use podsight_spec::ImageRef;

/// Images whose own command is a shell or the prompt of an interpreter: without a terminal it ends at once with code 0.
/// None of them has an entry point.
const PROMPTS: [&str; 21] = [
    "busybox",
    "alpine",
    "ubuntu",
    "debian",
    "centos",
    "fedora",
    "amazonlinux",
    "rockylinux",
    "almalinux",
    "oraclelinux",
    "archlinux",
    "bash",
    "buildpack-deps",
    "gcc",
    "golang",
    "rust",
    "perl",
    "python",
    "node",
    "ruby",
    "hello-world",
];

/// Of these the entry point is a script that runs its arguments, or bash itself.
const WITH_ENTRYPOINT: [&str; 3] = ["bash", "node", "hello-world"];

/// Other places of the same images: the copies of registries that serve Docker's library.
const COPIES: [&str; 8] = [
    "public.ecr.aws/docker/library/",
    "mirror.gcr.io/library/",
    "registry.k8s.io/",
    "registry.k8s.io/e2e-test-images/",
    "k8s.gcr.io/",
    "gcr.io/google-containers/",
    "gcr.io/google_containers/",
    "registry.k8s.io/build-image/",
];

/// The name of an official image of Docker's library.
fn official(image: &str) -> Option<&str> {
    let reference = ImageRef::parse(image).ok()?;
    let name = reference.base_name();
    if reference.is_official(name) {
        return Some(name);
    }
    let copied = COPIES.iter().any(|copy| image.strip_prefix(copy).is_some_and(|rest| rest.split([':', '@']).next() == Some(name)));
    copied.then_some(name)
}

/// Whether the image by itself runs a prompt, which ends at once where nobody types.
pub(crate) fn runs_a_prompt(image: &str) -> bool {
    official(image).is_some_and(|name| PROMPTS.contains(&name))
}

/// Whether `args` alone name the program.
pub(crate) fn has_no_entrypoint(image: &str) -> bool {
    official(image).is_some_and(|name| PROMPTS.contains(&name) && !WITH_ENTRYPOINT.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_library_and_its_copies_only() {
        for image in [
            "busybox",
            "busybox:1.37",
            "docker.io/library/alpine:3",
            "public.ecr.aws/docker/library/ubuntu:24.04",
            "registry.k8s.io/busybox",
        ] {
            assert!(runs_a_prompt(image), "{image}");
        }
        for image in ["nginx", "me/busybox", "quay.io/x/ubuntu", "busybox:", "registry.k8s.io/x/busybox"] {
            assert!(!runs_a_prompt(image), "{image}");
        }
        assert!(has_no_entrypoint("python:3") && !has_no_entrypoint("node:22"));
    }
}
