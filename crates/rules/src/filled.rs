//! Values that a controller fills in before it makes the pod.

use podsight_spec::Workload;
use serde_json::Value;

/// Whether the value at the place has a placeholder of a kind that has such: `{{args.image}}` of Argo, `$(params.image)` of Tekton,
/// `${schema.spec.image}` of kro. What the pod gets is not known.
pub(crate) fn is_later(workload: &Workload<'_>, pointer: &str) -> bool {
    let group = workload.api_version.split_once('/').map_or("", |(group, _)| group);
    // Kubernetes itself fills in nothing but `$(NAME)`, which the rules know.
    if matches!(group, "" | "apps" | "batch" | "extensions") {
        return false;
    }
    workload.object.pointer(pointer).and_then(Value::as_str).is_some_and(has_placeholder)
}

fn has_placeholder(text: &str) -> bool {
    let dotted = |rest: &str| {
        let name = rest.split(')').next().unwrap_or_default();
        rest.len() > name.len()
            && name.contains('.')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    };
    text.contains("{{")
        || text.split("${").skip(1).any(|rest| rest.split('}').next().is_some_and(|name| name.contains('.')))
        || text.split("$(").skip(1).any(dotted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_placeholders_from_shell() {
        assert!(has_placeholder("{{args.image}}") && has_placeholder("a:$(tt.params.image)") && has_placeholder("${schema.spec.port}"));
        assert!(
            !has_placeholder("x=$(cat a.txt)") && !has_placeholder("$(NAME)") && !has_placeholder("$(a.b") && !has_placeholder("${NAME}")
        );
    }
}
