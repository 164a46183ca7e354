//! `pvc-unbound`

use super::prelude::*;

const SAYS: [&str; 11] = [
    "has unbound persistentvolumeclaims",
    "did not find available persistent volumes to bind",
    "unbound immediate persistentvolumeclaims",
    "didn't find available persistent volumes to bind",
    "bound to non-existent pv",
    "bound to non-existent persistentvolume",
    "waiting for ephemeral volume controller to create the persistentvolumeclaim",
    "storageclass.storage.k8s.io \"",
    "persistentvolumeclaim is not bound",
    "pvc is not bound",
    "is being deleted",
];

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    if !case.unscheduled() && !case.setting_up() {
        return;
    }
    let Some(quote) = case
        .pod_texts
        .iter()
        .find(|quote| quote.has(&SAYS) && (!quote.has(&["is being deleted"]) || quote.has(&["persistentvolumeclaim"])))
    else {
        return;
    };
    let claims: Vec<(usize, &str)> = case
        .pod
        .spec
        .list("volumes")
        .iter()
        .enumerate()
        .map(|(place, volume)| (place, volume.get_or_null("persistentVolumeClaim").text("claimName")))
        .filter(|(_, name)| !name.is_empty())
        .collect();
    let names = shown(&claims.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(", "));
    let mut candidate = case.candidate(Cause::PvcUnbound, Level::Pod, 91, High).quote(quote);
    for (place, name) in claims.iter().take(3) {
        candidate = candidate.fact(Case::fact(format!("/spec/volumes/{place}/persistentVolumeClaim/claimName"), *name));
    }
    let claim = if names.is_empty() { String::new() } else { format!(" ({names})") };
    found.push(
        candidate
            .say(say!(case, "A PersistentVolumeClaim of the pod{claim} has no volume: no such StorageClass, no fitting volume, or a provisioner that does not work.", "Pod 的 PersistentVolumeClaim{claim} 没有绑定到卷：没有对应的 StorageClass、没有合适的卷，或 provisioner 没有工作。"))
            .step(case.read(&["describe", "pvc", claims.first().map(|(_, name)| *name).unwrap_or_default()], say!(case, "Its events say why no volume was made.", "它的事件会说明为什么没有创建卷。")))
            .step(case.read_cluster(&["get", "storageclass"], say!(case, "Shows whether the class exists and which one is the default.", "查看该存储类是否存在，以及哪个是默认类。"))),
    );
}
