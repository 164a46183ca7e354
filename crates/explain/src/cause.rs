//! The causes: one file each, with its matcher, its words in both languages and its commands.

mod object_missing;
mod other_kind;
mod prelude;

mod admission_node_full;
mod admission_node_mismatch;
mod admission_node_unsupported;
mod admission_topology;
mod app_config_error;
mod app_defined_code;
mod app_error;
mod app_native_crash;
mod claim_missing;
mod command_not_found;
mod command_syntax_error;
mod completed;
mod completed_but_restarted;
mod config_key_missing;
mod configmap_missing;
mod container_config_cause_unseen;
mod container_create_rejected;
mod container_record_lost;
mod deadline_exceeded;
mod dependency_unavailable;
mod evicted_on_request;
mod evicted_own_storage_limit;
mod healthy;
mod image_access_denied;
mod image_name_invalid;
mod image_never_pull_absent;
mod image_not_found;
mod image_pull_cause_unseen;
mod image_rate_limited;
mod image_registry_tls;
mod image_registry_unreachable;
mod image_signature_rejected;
mod image_wrong_platform;
mod init_not_finished;
mod killed_externally;
mod killer_unknown;
mod language_heap_exhausted;
mod memory_limit_below_start;
mod node_pressure;
mod node_shutdown_or_restart;
mod node_unreachable;
mod oom_child_process;
mod oom_container_limit;
mod oom_flag_false;
mod oom_node;
mod oom_pod_limit;
mod oom_unattributed;
mod permission_denied;
mod post_start_hook_failed;
mod preempted;
mod probe_kill;
mod pvc_unbound;
mod readiness_failing;
mod restart_all_rule;
mod run_as_nonroot_violation;
mod runtime_failing;
mod sandbox_failed;
mod scheduling_gated;
mod secret_missing;
mod starting;
mod stop_grace_exceeded;
mod terminating;
mod unknown;
mod unschedulable_cause_unseen;
mod unschedulable_device;
mod unschedulable_node_selector;
mod unschedulable_placement_rule;
mod unschedulable_resources;
mod unschedulable_taint;
mod volume_mount_failed;

use crate::candidate::Candidate;
use crate::case::Case;
use podsight_cause::Cause;

/// Looks at a case and adds what it finds.
type Matcher = fn(&Case<'_>, &mut Vec<Candidate>);

/// All matchers in the order of the catalogue.
pub(crate) static MATCHERS: &[(Cause, Matcher)] = &[
    (Cause::ImageNameInvalid, image_name_invalid::find),
    (Cause::ImageNotFound, image_not_found::find),
    (Cause::ImageAccessDenied, image_access_denied::find),
    (Cause::ImageRegistryUnreachable, image_registry_unreachable::find),
    (Cause::ImageRegistryTls, image_registry_tls::find),
    (Cause::ImageRateLimited, image_rate_limited::find),
    (Cause::ImageWrongPlatform, image_wrong_platform::find),
    (Cause::ImageNeverPullAbsent, image_never_pull_absent::find),
    (Cause::ImageSignatureRejected, image_signature_rejected::find),
    (Cause::ImagePullCauseUnseen, image_pull_cause_unseen::find),
    (Cause::ConfigmapMissing, configmap_missing::find),
    (Cause::SecretMissing, secret_missing::find),
    (Cause::ConfigKeyMissing, config_key_missing::find),
    (Cause::ClaimMissing, claim_missing::find),
    (Cause::PvcUnbound, pvc_unbound::find),
    (Cause::VolumeMountFailed, volume_mount_failed::find),
    (Cause::ContainerConfigCauseUnseen, container_config_cause_unseen::find),
    (Cause::CommandNotFound, command_not_found::find),
    (Cause::CommandSyntaxError, command_syntax_error::find),
    (Cause::PermissionDenied, permission_denied::find),
    (Cause::RunAsNonrootViolation, run_as_nonroot_violation::find),
    (Cause::AppError, app_error::find),
    (Cause::AppDefinedCode, app_defined_code::find),
    (Cause::AppNativeCrash, app_native_crash::find),
    (Cause::LanguageHeapExhausted, language_heap_exhausted::find),
    (Cause::AppConfigError, app_config_error::find),
    (Cause::DependencyUnavailable, dependency_unavailable::find),
    (Cause::CompletedButRestarted, completed_but_restarted::find),
    (Cause::OomContainerLimit, oom_container_limit::find),
    (Cause::OomPodLimit, oom_pod_limit::find),
    (Cause::OomNode, oom_node::find),
    (Cause::OomChildProcess, oom_child_process::find),
    (Cause::OomUnattributed, oom_unattributed::find),
    (Cause::OomFlagFalse, oom_flag_false::find),
    (Cause::MemoryLimitBelowStart, memory_limit_below_start::find),
    (Cause::ProbeKill, probe_kill::find),
    (Cause::StopGraceExceeded, stop_grace_exceeded::find),
    (Cause::EvictedOnRequest, evicted_on_request::find),
    (Cause::Preempted, preempted::find),
    (Cause::DeadlineExceeded, deadline_exceeded::find),
    (Cause::RestartAllRule, restart_all_rule::find),
    (Cause::KilledExternally, killed_externally::find),
    (Cause::KillerUnknown, killer_unknown::find),
    (Cause::ContainerRecordLost, container_record_lost::find),
    (Cause::NodePressure, node_pressure::find),
    (Cause::EvictedOwnStorageLimit, evicted_own_storage_limit::find),
    (Cause::NodeShutdownOrRestart, node_shutdown_or_restart::find),
    (Cause::NodeUnreachable, node_unreachable::find),
    (Cause::UnschedulableResources, unschedulable_resources::find),
    (Cause::UnschedulableDevice, unschedulable_device::find),
    (Cause::UnschedulableNodeSelector, unschedulable_node_selector::find),
    (Cause::UnschedulableTaint, unschedulable_taint::find),
    (Cause::UnschedulablePlacementRule, unschedulable_placement_rule::find),
    (Cause::SchedulingGated, scheduling_gated::find),
    (Cause::UnschedulableCauseUnseen, unschedulable_cause_unseen::find),
    (Cause::AdmissionNodeFull, admission_node_full::find),
    (Cause::AdmissionNodeMismatch, admission_node_mismatch::find),
    (Cause::AdmissionTopology, admission_topology::find),
    (Cause::AdmissionNodeUnsupported, admission_node_unsupported::find),
    (Cause::SandboxFailed, sandbox_failed::find),
    (Cause::RuntimeFailing, runtime_failing::find),
    (Cause::ContainerCreateRejected, container_create_rejected::find),
    (Cause::PostStartHookFailed, post_start_hook_failed::find),
    (Cause::ReadinessFailing, readiness_failing::find),
    (Cause::InitNotFinished, init_not_finished::find),
    (Cause::Healthy, healthy::find),
    (Cause::Starting, starting::find),
    (Cause::Completed, completed::find),
    (Cause::Terminating, terminating::find),
    (Cause::Unknown, unknown::find),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_a_matcher_in_the_order_of_the_catalogue() {
        let causes: Vec<Cause> = MATCHERS.iter().map(|(cause, _)| *cause).collect();
        assert_eq!(causes, Cause::ALL);
    }
}
