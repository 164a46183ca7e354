//! `request-over-limit`

use crate::admission::{refused, written};
use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};
use podsight_spec::Quantity;
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds requests above their limit, and requests of extended resources (GPUs, huge pages) that are not equal to it.
    ///
    /// ## What happens without a change
    ///
    /// The API server refuses the object at `kubectl apply`. For a kind that it does not know (Rollout, DeploymentConfig, Knative) it accepts the object and refuses
    /// its pods: `FailedCreate`.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers:
    ///   - name: web
    ///     image: nginx:1.27
    ///     resources: {requests: {memory: 1Gi}, limits: {memory: 512Mi}}
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers:
    ///   - name: web
    ///     image: nginx:1.27
    ///     resources: {requests: {memory: 512Mi}, limits: {memory: 512Mi}}
    /// ```
    ///
    /// ## Known limits
    ///
    /// A default limit of a LimitRange that is below the request is not known here.
    RequestOverLimit {
        id: "request-over-limit", group: "admission", certainty: Certain, predicts: [],
        en: "a request above its limit", zh: "请求值超过限制值", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for container in subject.containers {
        let resources = container.value.get("resources");
        let Some(requests) = resources.and_then(|resources| resources.get("requests")).and_then(Value::as_object) else { continue };
        let limits = resources.and_then(|resources| resources.get("limits"));
        for (name, value) in requests {
            let Some(request) = Quantity::of(value) else { continue };
            let limit = limits.and_then(|limits| limits.get(name));
            // An extended resource (`example.com/x`) or huge pages cannot be given to several: both numbers are one.
            let exact = name.starts_with("hugepages-") || (name.contains('/') && !name.starts_with("kubernetes.io/"));
            let limit_quantity = limit.and_then(Quantity::of);
            let wrong = match limit_quantity {
                Some(limit) => request > limit || (exact && request != limit),
                None => exact && limit.is_none() && !subject.workload.is_partial(),
            };
            if !wrong {
                continue;
            }
            let (en, zh) = refused(subject);
            let pair = format!("{} {} / {}", shown(name, 24), written(value), limit.map_or_else(|| "-".to_owned(), written));
            let relation = if exact { ("must equal its limit", "必须等于限制") } else { ("is above its limit", "超过限制") };
            findings.push(
                Finding::new(rule, container.at(&format!("/resources/requests/{}", name.replace('~', "~0").replace('/', "~1"))))
                    .within(container)
                    .saying(format!("{en}: request {} ({pair})", relation.0), format!("{zh}：请求{}（{pair}）", relation.1))
                    .helped_by("lower the request or raise the limit", "降低请求或提高限制"),
            );
        }
    }
}
