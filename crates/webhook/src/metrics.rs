//! The webhook's metrics. Every label has a fixed set of values.

use crate::answer::{Answer, Outcome};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// From 50 µs, where a small review is, to the 2 s after which the API server has given up.
const DURATION_BUCKETS_SECONDS: [f64; 12] = [0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 2.0];

/// A label whose values are the names of an enum's variants.
macro_rules! label {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident => $value:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// The value of the label.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $value,)+ }
            }
        }

        impl prometheus_client::encoding::EncodeLabelValue for $name {
            fn encode(&self, encoder: &mut prometheus_client::encoding::LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
                prometheus_client::encoding::EncodeLabelValue::encode(&self.label(), encoder)
            }
        }
    };
}
pub(crate) use label;

label! {
    /// The kind of an object that is reviewed.
    Kind {
        /// A Pod.
        Pod => "Pod",
        /// A `ReplicationController`.
        ReplicationController => "ReplicationController",
        /// A `ReplicaSet`.
        ReplicaSet => "ReplicaSet",
        /// A Deployment.
        Deployment => "Deployment",
        /// A `StatefulSet`.
        StatefulSet => "StatefulSet",
        /// A `DaemonSet`.
        DaemonSet => "DaemonSet",
        /// A Job.
        Job => "Job",
        /// A `CronJob`.
        CronJob => "CronJob",
        /// Any other kind.
        Other => "other",
    }
}

impl Kind {
    /// The kind with this name.
    pub fn of(name: &str) -> Self {
        match name {
            "Pod" => Self::Pod,
            "ReplicationController" => Self::ReplicationController,
            "ReplicaSet" => Self::ReplicaSet,
            "Deployment" => Self::Deployment,
            "StatefulSet" => Self::StatefulSet,
            "DaemonSet" => Self::DaemonSet,
            "Job" => Self::Job,
            "CronJob" => Self::CronJob,
            _ => Self::Other,
        }
    }
}

label! {
    /// The operation that is reviewed.
    Operation {
        /// CREATE.
        Create => "CREATE",
        /// UPDATE.
        Update => "UPDATE",
        /// DELETE.
        Delete => "DELETE",
        /// CONNECT.
        Connect => "CONNECT",
        /// Any other.
        Other => "other",
    }
}

impl Operation {
    /// The operation with this name.
    pub fn of(name: &str) -> Self {
        match name {
            "CREATE" => Self::Create,
            "UPDATE" => Self::Update,
            "DELETE" => Self::Delete,
            "CONNECT" => Self::Connect,
            _ => Self::Other,
        }
    }
}

label! {
    /// Why a request got no AdmissionReview for an answer.
    Refusal {
        /// The body is larger than the limit: 413.
        TooLarge => "too-large",
        /// The body did not come in time: 408.
        TooSlow => "too-slow",
        /// The body is compressed: 415.
        Encoded => "encoded",
        /// The connection broke while the body was read.
        Broken => "broken",
        /// The body is no `AdmissionReview`: 400.
        NoReview => "no-review",
    }
}

label! {
    /// Why a request was allowed without a look at it.
    Shed {
        /// Too many requests were waiting.
        Queue => "queue",
        /// Too much memory was taken by bodies.
        Memory => "memory",
    }
}

label! {
    /// A kind of which the objects are followed.
    WatchedKind {
        /// ConfigMaps.
        ConfigMap => "ConfigMap",
        /// Secrets.
        Secret => "Secret",
        /// Service accounts.
        ServiceAccount => "ServiceAccount",
        /// Claims.
        PersistentVolumeClaim => "PersistentVolumeClaim",
        /// Priority classes.
        PriorityClass => "PriorityClass",
        /// Runtime classes.
        RuntimeClass => "RuntimeClass",
        /// Storage classes.
        StorageClass => "StorageClass",
        /// Volumes.
        PersistentVolume => "PersistentVolume",
        /// LimitRanges.
        LimitRange => "LimitRange",
        /// Quotas.
        ResourceQuota => "ResourceQuota",
        /// Namespaces.
        Namespace => "Namespace",
        /// Nodes.
        Node => "Node",
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WatchLabels {
    kind: WatchedKind,
}

/// The metrics of what is known of the cluster. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct WatchMetrics {
    objects: Family<WatchLabels, Gauge>,
    complete: Family<WatchLabels, Gauge>,
}

impl WatchMetrics {
    /// Registers the metrics.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let Self { objects, complete } = metrics.clone();
        registry.register("watched_objects", "Objects of the cluster that are known, by kind", objects);
        registry.register(
            "watched_completely",
            "Whether all objects of a kind are known (1) or nothing is said about it (0), by kind",
            complete,
        );
        metrics
    }

    /// Sets how many objects of a kind are known, and whether they are all.
    pub fn watched(&self, kind: WatchedKind, objects: usize, is_complete: bool) {
        let labels = WatchLabels { kind };
        self.objects.get_or_create(&labels).set(i64::try_from(objects).unwrap_or(i64::MAX));
        self.complete.get_or_create(&labels).set(i64::from(is_complete));
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    kind: Kind,
    operation: Operation,
    answer: AnswerLabel,
}

label! {
    /// What was answered.
    AnswerLabel {
        /// Allowed, nothing to say.
        Allowed => "allowed",
        /// Allowed with warnings.
        Warned => "warned",
        /// Denied.
        Denied => "denied",
        /// Allowed, since it could not be understood.
        NotUnderstood => "not-understood",
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RuleLabels {
    rule: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

/// The metrics of the webhook. Clones share them.
#[derive(Clone, Debug)]
pub struct WebhookMetrics {
    reviews: Family<RequestLabels, Counter>,
    findings: Family<RuleLabels, Counter>,
    not_understood: Family<ReasonLabels, Counter>,
    refused: Family<ReasonLabels, Counter>,
    shed: Family<ReasonLabels, Counter>,
    panics: Counter,
    duration: Histogram,
    config_problems: Gauge,
    history_workloads: Gauge,
}

impl WebhookMetrics {
    /// Registers the metrics.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            reviews: Family::default(),
            findings: Family::default(),
            not_understood: Family::default(),
            refused: Family::default(),
            shed: Family::default(),
            panics: Counter::default(),
            duration: Histogram::new(DURATION_BUCKETS_SECONDS),
            config_problems: Gauge::default(),
            history_workloads: Gauge::default(),
        };
        // From the start: an alert on an increase needs the zero.
        for reason in [Shed::Queue, Shed::Memory] {
            drop(metrics.shed.get_or_create(&ReasonLabels { reason: reason.label() }));
        }
        let Self { reviews, findings, not_understood, refused, shed, panics, duration, config_problems, history_workloads } =
            metrics.clone();
        registry.register("reviews", "Reviews answered by the rules, by kind of object, operation and answer", reviews);
        registry.register("findings", "Findings and changes that were told, by rule", findings);
        registry.register("not_understood", "Reviews allowed because they could not be understood, by reason", not_understood);
        registry.register("refused", "Requests that were no review or broke a limit, by reason", refused);
        registry.register("shed", "Reviews allowed without a look at them under load, by what was short", shed);
        registry.register("panics", "Reviews allowed because a rule panicked: each one is a bug", panics);
        registry.register_with_unit("review_duration", "Time from the last byte of a review to its answer", Unit::Seconds, duration);
        registry.register("config_problems", "Problems in the configuration file in use; its sound parts apply", config_problems);
        registry.register("history_workloads", "Workloads of which kills are remembered", history_workloads);
        metrics
    }

    /// Counts an answer of the rules.
    pub(crate) fn answered(&self, answer: &Answer) {
        let label = match answer.outcome {
            Outcome::NotUnderstood(reason) => {
                self.not_understood.get_or_create(&ReasonLabels { reason: reason.label() }).inc();
                AnswerLabel::NotUnderstood
            }
            Outcome::Allowed if answer.warnings.is_empty() => AnswerLabel::Allowed,
            Outcome::Allowed => AnswerLabel::Warned,
            Outcome::Denied(_) => AnswerLabel::Denied,
        };
        let labels = RequestLabels { kind: answer.kind, operation: answer.operation, answer: label };
        self.reviews.get_or_create(&labels).inc();
        for rule in &answer.rules {
            self.findings.get_or_create(&RuleLabels { rule }).inc();
        }
    }

    pub(crate) fn took(&self, duration: Duration) {
        self.duration.observe(duration.as_secs_f64());
    }

    pub(crate) fn refused(&self, reason: Refusal) {
        self.refused.get_or_create(&ReasonLabels { reason: reason.label() }).inc();
    }

    pub(crate) fn shed(&self, reason: Shed) {
        self.shed.get_or_create(&ReasonLabels { reason: reason.label() }).inc();
    }

    pub(crate) fn panicked(&self) {
        self.panics.inc();
    }

    pub(crate) fn history(&self, workloads: usize) {
        self.history_workloads.set(i64::try_from(workloads).unwrap_or(i64::MAX));
    }

    pub(crate) fn config_problems(&self, count: usize) {
        self.config_problems.set(i64::try_from(count).unwrap_or(i64::MAX));
    }
}
