//! `variable-undefined`

use crate::rule::{Subject, declare_rule};
use crate::runtime::line::script_index;
use crate::text::shown;
use crate::{Finding, Rule};
use podsight_spec::Container;
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds `$(NAME)` in `command`, `args` and environment values where the container has no variable of that name, or has it only further down: the kubelet fills in
    /// what stands above, in the container's own `env`.
    ///
    /// ## What happens without a change
    ///
    /// The program gets the text `$(NAME)` as it is written. What it makes of that is its own affair; most end with an error about a wrong address, path or number.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: app}
    /// spec:
    ///   containers:
    ///   - name: app
    ///     image: example.com/app:1.0
    ///     env:
    ///     - {name: URL, value: "http://$(HOST):8080"}
    ///     - {name: HOST, value: db}
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: app}
    /// spec:
    ///   containers:
    ///   - name: app
    ///     image: example.com/app:1.0
    ///     env:
    ///     - {name: HOST, value: db}
    ///     - {name: URL, value: "http://$(HOST):8080"}
    /// ```
    ///
    /// ## Known limits
    ///
    /// Silent with `envFrom`, for the variables of Services (`…_SERVICE_HOST`, `…_PORT`), in shell scripts (there `$(…)` is a command), and for names that are not in upper
    /// case. A hint, because kustomize and others fill in the same form before the file is applied.
    VariableUndefined {
        id: "variable-undefined", group: "configuration", certainty: Hint, predicts: [AppConfigError],
        en: "a $(NAME) that nothing fills in", zh: "没有任何变量可替换的 $(NAME)", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if subject.workload.is_partial() {
        return;
    }
    for container in subject.containers {
        if container.value.get("envFrom").and_then(Value::as_array).is_some_and(|sources| !sources.is_empty()) {
            continue;
        }
        let entries: Vec<&Value> = container.value.get("env").and_then(Value::as_array).into_iter().flatten().collect();
        let names: Vec<&str> = entries.iter().map(|entry| entry.get("name").and_then(Value::as_str).unwrap_or_default()).collect();
        for (number, entry) in entries.iter().enumerate() {
            let Some(value) = entry.get("value").and_then(Value::as_str) else { continue };
            let above = names.get(..number).unwrap_or_default();
            push(rule, container, value, container.at(&format!("/env/{number}/value")), (above, &names), findings);
        }
        let line = container.line();
        let script = script_index(&line);
        for (number, word) in line.iter().enumerate() {
            if script.is_none_or(|script| number < script) {
                push(rule, container, word, container.line_pointer(number), (&names, &names), findings);
            }
        }
    }
}

/// One finding for the first reference that nothing fills in.
fn push(
    rule: &dyn Rule,
    container: &Container<'_>,
    value: &str,
    pointer: String,
    (defined, all): (&[&str], &[&str]),
    findings: &mut Vec<Finding>,
) {
    let Some(name) = references(value).into_iter().find(|name| !defined.contains(name) && !is_service_s(name)) else { return };
    let below = all.contains(&name);
    let name = shown(name, 40);
    let finding = Finding::new(rule, pointer).within(container);
    findings.push(if below {
        finding
            .saying(
                format!("the program gets $({name}) as it is written: {name} is defined only further down"),
                format!("程序得到的是原样的 $({name})：{name} 定义在后面"),
            )
            .helped_by("put the variable above the one that uses it", "把该变量移到使用它的变量之前")
    } else {
        finding
            .saying(
                format!("the program gets $({name}) as it is written: no such variable"),
                format!("程序得到的是原样的 $({name})：没有这个变量"),
            )
            .helped_by(
                format!("add {name} to env, or write $$({name}) if that is meant"),
                format!("在 env 中加上 {name}；若确实要原文，写 $$({name})"),
            )
    });
}

/// The names of `$(NAME)`, as `Expand` of `third_party/forked/golang/expansion` reads them; `$$` is a dollar.
fn references(value: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = value;
    while let Some(at) = rest.find('$') {
        rest = rest.get(at + 1..).unwrap_or_default();
        if let Some(behind) = rest.strip_prefix('$') {
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix('(')
            && let Some(end) = behind.find(')')
        {
            let name = behind.get(..end).unwrap_or_default();
            let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
            if name.len() > 1 && name.bytes().all(upper) && name.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase()) {
                names.push(name);
            }
            rest = behind.get(end + 1..).unwrap_or_default();
        }
    }
    names
}

/// Whether the kubelet may add it for a Service.
fn is_service_s(name: &str) -> bool {
    name.ends_with("_SERVICE_HOST") || name.ends_with("_PORT") || name.contains("_SERVICE_PORT") || name.contains("_PORT_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_references_as_the_kubelet_does() {
        assert_eq!(references("a $(AB) $$(CD) $$$(EF) $(gh) $(I) $(JK"), ["AB", "EF"]);
    }
}
