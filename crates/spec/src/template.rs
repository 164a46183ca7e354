//! Files that are no manifests yet: Helm and other templates.

/// What a Helm template refers to and a manifest never does.
const HELM: [&str; 8] = [".Values", ".Release.", ".Chart.", ".Capabilities.", ".Files.", "include \"", "tpl (", "toYaml"];

/// Whether an expression in the text is one of Helm's.
pub(crate) fn is_helm(text: &str) -> bool {
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        rest = rest.get(start..).unwrap_or_default();
        let end = rest.find("}}").unwrap_or(rest.len());
        let expression = rest.get(..end).unwrap_or_default();
        if HELM.iter().any(|word| expression.contains(word)) {
            return true;
        }
        rest = rest.get(end.max(2)..).unwrap_or_default();
    }
    false
}

/// The line of the first template expression, from 1, and what to say about the file.
pub(crate) fn look(text: &str) -> Option<(u32, String)> {
    let at = text.find("{{").or_else(|| text.find("{%"))?;
    let line = u32::try_from(text.get(..at)?.matches('\n').count()).ok()?.saturating_add(1);
    let message = if is_helm(text) {
        "this is a Helm template, not a manifest: render it first (helm template CHART | podsight check -)"
    } else {
        "this looks like a template, not a manifest: fill it in first and check the result"
    };
    Some((line, message.to_owned()))
}

/// How a line of ytt's begins: to any other reader it is a comment.
const YTT: [&str; 8] = ["#@ load(", "#@ def ", "#@ if ", "#@ if/", "#@ for ", "#@data/", "#@overlay/", "#@schema/"];

/// The line of the first directive of ytt, from 1, and what to say about the file. What it fills in is absent to a reader of YAML.
pub(crate) fn ytt(text: &str) -> Option<(u32, String)> {
    // A look at the whole text first: hardly a file has any.
    text.find("#@")?;
    let is_directive = |line: &str| {
        YTT.iter().any(|start| line.trim_start().starts_with(start)) || [": #@ ", "- #@ "].iter().any(|value| line.contains(value))
    };
    let line = text.lines().position(is_directive)?;
    let message = "this is a template of ytt, not a manifest: render it first (ytt -f FOLDER | podsight check -)";
    Some((u32::try_from(line).ok()?.saturating_add(1), message.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_helm_from_other_braces() {
        assert!(is_helm("name: {{ include \"x\" . }}") && is_helm("a: {{- if .Values.b }}"));
        assert!(!is_helm("summary: '{{ $labels.pod }}'") && !is_helm("{{ pillar['x'] }}") && !is_helm("{{"));
        assert_eq!(look("a: 1\nb: {{ x }}").unwrap().0, 2);
        assert!(look("a: 1").is_none());
    }

    #[test]
    fn tells_directives_of_ytt_from_comments() {
        assert_eq!(ytt("a: 1\nimage: #@ data.values.image\n").unwrap().0, 2);
        assert_eq!(ytt("#@ load(\"@ytt:data\", \"data\")\na: 1").unwrap().0, 1);
        assert!(ytt("#@data/values\n---\na: 1").is_some());
        assert!(ytt("a: 1 #@\n#@param a\nurl: 'http://a/#@x'").is_none());
    }
}
