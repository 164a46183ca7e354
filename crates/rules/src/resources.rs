//! What a pod of a template will ask for, once the API server has filled in what the template leaves out.
//!
//! In this order: a limit becomes the request that is missing (`SetDefaults_Pod`), then the LimitRanges give defaults (`limitranger/admission.go`).

use crate::facts::{LimitRange, LimitType, Resources};
use crate::rule::Subject;
use podsight_spec::{Quantity, Role};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Amounts by the resource's name.
pub(crate) type Amounts<'a> = BTreeMap<&'a str, Quantity>;

/// What one container asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked<'a> {
    /// Its number in the subject.
    pub(crate) container: usize,
    /// Its part.
    pub(crate) role: Option<Role>,
    pub(crate) requests: Amounts<'a>,
    pub(crate) limits: Amounts<'a>,
    /// The limits that a LimitRange gives, and its name.
    pub(crate) default_limits: BTreeMap<&'a str, &'a str>,
}

/// What each container asks for, without the ephemeral ones, which ask for nothing.
pub(crate) fn asked<'a>(subject: &Subject<'a>, ranges: &'a [Arc<LimitRange>]) -> Vec<Asked<'a>> {
    let containers = subject.containers.iter().enumerate().filter(|(_, container)| container.role != Role::Ephemeral);
    containers
        .map(|(number, container)| {
            let resources = container.value.get("resources");
            let limits = amounts(resources.and_then(|resources| resources.get("limits")));
            let mut requests = limits.clone();
            requests.extend(amounts(resources.and_then(|resources| resources.get("requests"))));
            let mut asked = Asked { container: number, role: Some(container.role), requests, limits, default_limits: BTreeMap::new() };
            for range in ranges {
                asked.fill_from(range);
            }
            asked
        })
        .collect()
}

impl<'a> Asked<'a> {
    fn fill_from(&mut self, range: &'a LimitRange) {
        for item in range.items.iter().filter(|item| item.applies_to == LimitType::Container) {
            for (name, amount) in &item.default_limit {
                if !self.limits.contains_key(name.as_str()) {
                    self.limits.insert(name, *amount);
                    self.default_limits.insert(name, &range.name);
                }
            }
            for (name, amount) in &item.default_request {
                self.requests.entry(name).or_insert(*amount);
            }
        }
    }
}

/// What the pod as a whole asks for: its containers together, or the most that an init container needs before them; the pod's own amounts count instead where it
/// has any (`component-helpers/resource/helpers.go`). Requests and limits.
pub(crate) fn of_pod<'a>(pod: &'a Value, asked: &[Asked<'a>]) -> (Amounts<'a>, Amounts<'a>) {
    let resources = pod.get("resources");
    let mut requests = together(asked, |asked| &asked.requests);
    let mut limits = together(asked, |asked| &asked.limits);
    let own = |field: &str| {
        let own = amounts(resources.and_then(|resources| resources.get(field)));
        own.into_iter().filter(|(name, _)| matches!(*name, "cpu" | "memory") || name.starts_with("hugepages-"))
    };
    requests.extend(own("requests"));
    limits.extend(own("limits"));
    for (name, amount) in amounts(pod.get("overhead")) {
        add(&mut requests, name, amount);
        if limits.get(name).is_some_and(|limit| !limit.is_zero()) {
            add(&mut limits, name, amount);
        }
    }
    (requests, limits)
}

/// Whether the pod has amounts of its own, so that its containers need none (`IsPodLevelResourcesSet`).
pub(crate) fn has_own(pod: &Value) -> bool {
    let own = pod.get("resources");
    ["requests", "limits"].iter().any(|field| {
        let names = own.and_then(|own| own.get(field)).and_then(Value::as_object);
        names.is_some_and(|names| names.keys().any(|name| matches!(name.as_str(), "cpu" | "memory") || name.starts_with("hugepages-")))
    })
}

fn together<'a>(asked: &[Asked<'a>], pick: impl for<'s> Fn(&'s Asked<'a>) -> &'s Amounts<'a>) -> Amounts<'a> {
    let (mut sum, mut most, mut sidecars) = (Amounts::new(), Amounts::new(), Amounts::new());
    for one in asked {
        let own = pick(one);
        match one.role {
            Some(Role::Init) => {
                let mut meanwhile = sidecars.clone();
                add_all(&mut meanwhile, own);
                raise(&mut most, &meanwhile);
            }
            Some(Role::Sidecar) => {
                add_all(&mut sidecars, own);
                add_all(&mut sum, own);
                raise(&mut most, &sidecars);
            }
            _ => add_all(&mut sum, own),
        }
    }
    raise(&mut sum, &most);
    sum
}

fn add_all<'a>(to: &mut Amounts<'a>, all: &Amounts<'a>) {
    for (name, amount) in all {
        add(to, name, *amount);
    }
}

fn add<'a>(to: &mut Amounts<'a>, name: &'a str, amount: Quantity) {
    let sum = to.entry(name).or_default();
    *sum = sum.plus(amount);
}

fn raise<'a>(target: &mut Amounts<'a>, by: &Amounts<'a>) {
    for (name, amount) in by {
        let slot = target.entry(name).or_insert(*amount);
        *slot = (*slot).max(*amount);
    }
}

/// The amounts of a mapping; what is no quantity is left out.
pub(crate) fn amounts(value: Option<&Value>) -> Amounts<'_> {
    let fields = value.and_then(Value::as_object).into_iter().flatten();
    fields.filter_map(|(name, amount)| Some((name.as_str(), Quantity::of(amount)?))).collect()
}

/// An amount for people: bytes with their unit, anything else as a number.
pub(crate) fn shown_amount(resource: &str, amount: Quantity) -> String {
    let is_bytes = ["memory", "storage"].iter().any(|bytes| resource.ends_with(bytes)) || resource.contains("hugepages-");
    let milli = amount.milli_value();
    if is_bytes {
        amount.to_string()
    } else if milli % 1000 == 0 {
        (milli / 1000).to_string()
    } else {
        format!("{milli}m")
    }
}

/// An amount of a mapping that was read.
pub(crate) fn of(resources: &Resources, name: &str) -> Option<Quantity> {
    resources.get(name).copied()
}
