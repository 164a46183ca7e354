//! `claim-missing`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    if !case.unscheduled() && !case.setting_up() {
        return;
    }
    for (kind, start) in [
        ("persistentvolumeclaim", "persistentvolumeclaim \""),
        ("resourceclaim", "resourceclaim \""),
        ("resourceclaim", "resourceclaim.resource.k8s.io \""),
        ("resourceclaimtemplate", "resourceclaimtemplate.resource.k8s.io \""),
        ("resourceclaimtemplate", "resourceclaimtemplate \""),
    ] {
        for quote in &case.pod_texts {
            let Some(name) = quote.between(start, "\"").map(str::to_owned) else { continue };
            if !quote.has(&["\" not found", "to create the resourceclaim"]) {
                continue;
            }
            let name_shown = shown(&name);
            let place = place(case);
            let formal = match kind {
                "persistentvolumeclaim" => "PersistentVolumeClaim",
                "resourceclaim" => "ResourceClaim",
                _ => "ResourceClaimTemplate",
            };
            found.push(
                case.candidate(Cause::ClaimMissing, Level::Pod, 93, High)
                    .quote(quote)
                    .say(say!(
                        case,
                        "The {formal} `{name_shown}` does not exist{place}. The pod is placed by itself as soon as it does.",
                        "{formal} “{name_shown}” 不存在{place}。创建之后 Pod 会自行被调度。"
                    ))
                    .step(case.read(
                        &["get", &format!("{kind}s")],
                        say!(case, "Lists the claims that do exist here.", "列出这里已有的 PVC 或 ResourceClaim。"),
                    )),
            );
            return;
        }
    }
    // The scheduler writes no condition while it waits for a claim of dynamic resource allocation.
    let claims = case.pod.spec.list("resourceClaims");
    let silent = case.unscheduled() && case.pod.condition("PodScheduled").is_none() && case.event(&["FailedScheduling"], None).is_none();
    if let Some(claim) = claims.first().filter(|_| silent) {
        let name = shown(
            [claim.text("resourceClaimName"), claim.text("resourceClaimTemplateName"), claim.text("name")]
                .into_iter()
                .find(|name| !name.is_empty())
                .unwrap_or_default(),
        );
        found.push(
            case.candidate(Cause::ClaimMissing, Level::Pod, 60, Medium)
                .fact(Case::fact("/spec/resourceClaims/0", name.clone()))
                .fact(Case::fact("/status/conditions", "no PodScheduled condition"))
                .against(say!(case, "A scheduler that does not run leaves the same picture.", "调度器没有运行时也是同样的现象。"))
                .say(say!(case, "The pod waits for the resource claim `{name}`: probably it, or its template, does not exist. The scheduler says nothing while it waits.", "Pod 在等待资源声明“{name}”：很可能它或它的模板不存在。等待期间调度器不会写任何信息。"))
                .step(case.read(&["get", "resourceclaims,resourceclaimtemplates"], say!(case, "Lists the resource claims and templates that do exist here.", "列出这里已有的资源声明和模板。"))),
        );
    }
}
