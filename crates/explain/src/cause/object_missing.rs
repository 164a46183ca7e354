//! The search for a ConfigMap or Secret that does not exist, which the two causes share.

use super::prelude::*;

/// What is searched for.
pub(super) struct Kind {
    pub(super) cause: Cause,
    /// As messages write it: `configmap "name" not found`.
    pub(super) word: &'static str,
    /// The field of a volume that names one.
    pub(super) volume: &'static str,
    /// Where both are missing, the first is told first.
    pub(super) vague_weight: u8,
    /// Says what is missing and what to do.
    pub(super) explain: fn(&Case<'_>, Candidate, &str) -> Candidate,
}

/// Adds a candidate where one is missing: in the environment, as a volume, or as a volume that an event calls late.
pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>, kind: &Kind) {
    for (rank, container) in case.configuring() {
        if let Some((quote, name)) = case.texts(container).iter().find_map(|quote| Some((quote, missing_object(quote, kind.word)?))) {
            let candidate = case.candidate(kind.cause, Level::Container(rank), 92, High).of(container).quote(quote);
            found.push((kind.explain)(case, candidate, &name));
        }
    }
    if !case.setting_up() {
        return;
    }
    let sole = case.only_container();
    if let Some((quote, name)) = case.pod_texts.iter().find_map(|quote| Some((quote, missing_object(quote, kind.word)?))) {
        let candidate = case.candidate(kind.cause, Level::Container(0), 92, High).of_some(sole).quote(quote);
        found.push((kind.explain)(case, candidate, &name));
    } else if let Some((quote, pointer, name)) = unmounted(case, kind.volume) {
        let candidate = case
            .candidate(kind.cause, Level::Container(0), kind.vague_weight, Medium)
            .of_some(sole)
            .quote(quote)
            .fact(Case::fact(pointer, shown(&name)))
            .against(say!(
                case,
                "The event names the volume and not the reason: a kubelet that is slow to mount says the same.",
                "事件只写了卷名而没有写原因：kubelet 挂载缓慢时也会这样说。"
            ));
        found.push((kind.explain)(case, candidate, &name));
    }
}

/// The first volume of this kind that an event calls unmounted, with its pointer and the name of its object.
fn unmounted<'c>(case: &'c Case<'_>, kind: &str) -> Option<(&'c Quote, String, String)> {
    let quote = case.pod_text(&["unmounted volumes=["])?;
    let names: Vec<&str> = quote.between("unmounted volumes=[", "]")?.split([' ', ',']).collect();
    let key = if kind == "secret" { "secretName" } else { "name" };
    let volumes = case.pod.spec.list("volumes").iter().enumerate().filter(|(_, volume)| names.contains(&volume.text("name")));
    volumes.map(|(place, volume)| (place, volume.get_or_null(kind))).find_map(|(place, source)| {
        let wanted = !source.text(key).is_empty() && !source.is_true("optional");
        wanted.then(|| (quote, format!("/spec/volumes/{place}/{kind}/{key}"), source.text(key).to_owned()))
    })
}
