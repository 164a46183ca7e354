//! What the agent tells about its work. Every label has a few fixed values.

use podsight_cgroup::Scope;
use podsight_evidence::ledger::Balance;
use podsight_oom::Attribution;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The metrics; a copy counts on the same numbers.
#[derive(Clone, Debug)]
pub struct AgentMetrics {
    /// Kills by where and how.
    pub kills: Family<KillLabels, Counter>,
    /// Incidents that pods of this node had.
    pub incidents: Counter,
    /// `N callbacks suppressed`
    pub suppressed: Counter,
    /// Reports whose kill line is missing.
    pub incomplete: Counter,
    /// Look-alikes that did not come from the kernel.
    pub rejected: Counter,
    /// Records that were overwritten before they were read.
    pub lost_records: Counter,
    /// Failures to open or to read the kernel log.
    pub log_failures: Counter,
    /// Writes to pods by outcome.
    pub writes: Family<WriteLabels, Counter>,
    /// Events by outcome.
    pub events: Family<WriteLabels, Counter>,
    /// Pods that were gone before their evidence was written, by what came of it.
    pub gone_pods: Family<WriteLabels, Counter>,
    /// From the kill line to the annotation, in seconds.
    pub delay: Histogram,
    /// Ends of containers that looked like kills, by verdict.
    pub verdicts: Family<VerdictLabels, Counter>,
    /// Pods of the node.
    pub pods: Gauge,
    /// Pods that wait to be written.
    pub queue: Gauge,
    counted: Gauge,
    attributed: Gauge,
    unattributed: Gauge,
    pending: Gauge,
    lost: Gauge,
    gap: Gauge,
}

/// Where a kill was and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct KillLabels {
    /// What it was.
    pub victim: Victim,
    /// The level of the limit.
    pub scope: &'static str,
    /// How it was put down.
    pub attribution: &'static str,
}

/// What was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Victim {
    /// A process of a container.
    #[expect(non_camel_case_types, reason = "the label's value")]
    container,
    /// A sandbox, a runtime at the start of a container, a monitor.
    #[expect(non_camel_case_types, reason = "the label's value")]
    infrastructure,
    /// A process in a pod, without a container.
    #[expect(non_camel_case_types, reason = "the label's value")]
    pod,
    /// A process in a pod that the API server does not show any more.
    #[expect(non_camel_case_types, reason = "the label's value")]
    gone_pod,
    /// A process outside all pods.
    #[expect(non_camel_case_types, reason = "the label's value")]
    other,
    /// A process of which nothing is known.
    #[expect(non_camel_case_types, reason = "the label's value")]
    unknown,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct WriteLabels {
    /// `written`, `known`, `gone`, `refused` or `failed`; of pods that are gone `told` or `dropped`
    pub outcome: &'static str,
}

/// An id of the catalogue of causes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct VerdictLabels {
    /// The id.
    pub verdict: &'static str,
}

impl AgentMetrics {
    /// Registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::unregistered();
        registry.register(
            "kills",
            "Kills found in the kernel log, by victim, level of the limit, and how they were attributed",
            metrics.kills.clone(),
        );
        registry.register("incidents", "Incidents in pods; all processes of a group kill are one", metrics.incidents.clone());
        registry.register("suppressed_reports", "Reports that the kernel said it left out", metrics.suppressed.clone());
        registry.register("incomplete_reports", "Reports whose kill line is missing from the log", metrics.incomplete.clone());
        registry.register("rejected_records", "Records that look like a kill and did not come from the kernel", metrics.rejected.clone());
        registry.register(
            "lost_records",
            "Records of the kernel log that were overwritten before they were read",
            metrics.lost_records.clone(),
        );
        registry.register(
            "log_failures",
            "Failures to open or to read the kernel log; until it is tried again kills are known by the counters alone",
            metrics.log_failures.clone(),
        );
        registry.register("writes", "Patches of pods, by outcome", metrics.writes.clone());
        registry.register("events", "Events, by outcome", metrics.events.clone());
        registry.register(
            "gone_pods",
            "Pods that were gone before their evidence was written: told of by Events on their owner and the node, or dropped",
            metrics.gone_pods.clone(),
        );
        registry.register("kill_to_annotation_seconds", "From the kill line to the annotation", metrics.delay.clone());
        registry.register("verdicts", "Ends of containers by SIGKILL or as OOMKilled, by verdict", metrics.verdicts.clone());
        registry.register("pods", "Pods of this node", metrics.pods.clone());
        registry.register("queued_pods", "Pods that wait to be written", metrics.queue.clone());
        registry.register("account_kernel_kills", "Kills that the kernel has counted since the account began", metrics.counted.clone());
        registry.register("account_attributed_kills", "Kill lines with an owner", metrics.attributed.clone());
        registry.register("account_unattributed_kills", "Kill lines without an owner", metrics.unattributed.clone());
        registry.register("account_pending_kills", "Kill lines whose owner is looked for", metrics.pending.clone());
        registry.register("account_lost_kills", "Kills that the kernel counted and whose line was never seen", metrics.lost.clone());
        registry.register(
            "account_gap_kills",
            "Kills that the kernel counted less the kills that are accounted for; 0 when all is well",
            metrics.gap.clone(),
        );
        metrics
    }

    /// Metrics that nobody reads.
    pub fn unregistered() -> Self {
        Self {
            kills: Family::default(),
            incidents: Counter::default(),
            suppressed: Counter::default(),
            incomplete: Counter::default(),
            rejected: Counter::default(),
            lost_records: Counter::default(),
            log_failures: Counter::default(),
            writes: Family::default(),
            events: Family::default(),
            gone_pods: Family::default(),
            delay: Histogram::new([0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0]),
            verdicts: Family::default(),
            pods: Gauge::default(),
            queue: Gauge::default(),
            counted: Gauge::default(),
            attributed: Gauge::default(),
            unattributed: Gauge::default(),
            pending: Gauge::default(),
            lost: Gauge::default(),
            gap: Gauge::default(),
        }
    }

    /// Counts a kill.
    pub fn kill(&self, victim: Victim, scope: Option<Scope>, attribution: Attribution) {
        let labels = KillLabels {
            victim,
            scope: scope.map_or("unknown", Scope::name),
            attribution: podsight_evidence::merge::show_attribution(attribution),
        };
        self.kills.get_or_create(&labels).inc();
    }

    /// Counts a pod that was gone before its evidence was written.
    pub fn gone_pod(&self, outcome: &'static str) {
        self.gone_pods.get_or_create(&WriteLabels { outcome }).inc();
    }

    /// Shows the account.
    pub fn balance(&self, balance: &Balance) {
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.counted.set(signed(balance.counted.unwrap_or(0)));
        self.attributed.set(signed(balance.attributed));
        self.unattributed.set(signed(balance.unattributed));
        self.pending.set(signed(balance.pending));
        self.lost.set(signed(balance.lost));
        self.gap.set(balance.gap);
    }
}
