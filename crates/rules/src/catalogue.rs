//! The catalogue: one line a rule, in the order in which findings are shown.

use crate::rule::Rule;
use crate::{admission, command, configuration, image, lifecycle, memory, probe, scheduling, security};

/// All rules, in the order of the catalogue.
pub static RULES: &[&dyn Rule] = &[
    &image::image_invalid::ImageInvalid,
    &image::image_whitespace::ImageWhitespace,
    &image::image_not_found::ImageNotFound,
    &image::image_wrong_platform::ImageWrongPlatform,
    &image::pull_never::PullNever,
    &image::missing_pull_secret::MissingPullSecret,
    &memory::memory_tiny::MemoryTiny,
    &memory::heap_over_limit::HeapOverLimit,
    &memory::heap_setting_invalid::HeapSettingInvalid,
    &memory::memory_over_limit::MemoryOverLimit,
    &memory::tmpfs_over_limit::TmpfsOverLimit,
    &memory::limit_known_too_small::LimitKnownTooSmall,
    &security::root_contradiction::RootContradiction,
    &security::sysctl_forbidden::SysctlForbidden,
    &command::command_not_a_program::CommandNotAProgram,
    &command::shell_without_script::ShellWithoutScript,
    &command::script_syntax_error::ScriptSyntaxError,
    &command::nothing_to_run::NothingToRun,
    &command::command_ends_at_once::CommandEndsAtOnce,
    &configuration::missing_config_ref::MissingConfigRef,
    &configuration::missing_claim::MissingClaim,
    &configuration::storage_class_missing::StorageClassMissing,
    &configuration::subpath_key_missing::SubpathKeyMissing,
    &configuration::database_without_password::DatabaseWithoutPassword,
    &probe::probe_always_fails::ProbeAlwaysFails,
    &probe::probe_port_name_unknown::ProbePortNameUnknown,
    &probe::probe_host_localhost::ProbeHostLocalhost,
    &probe::liveness_window::LivenessWindow,
    &lifecycle::prestop_exceeds_grace::PrestopExceedsGrace,
    &lifecycle::post_start_fails::PostStartFails,
    &admission::missing_service_account::MissingServiceAccount,
    &admission::missing_priority_class::MissingPriorityClass,
    &admission::missing_runtime_class::MissingRuntimeClass,
    &admission::limit_range_violated::LimitRangeViolated,
    &admission::quota_violated::QuotaViolated,
    &admission::pod_security_violated::PodSecurityViolated,
    &scheduling::node_selector_unmatched::NodeSelectorUnmatched,
    &scheduling::taint_not_tolerated::TaintNotTolerated,
    &scheduling::request_exceeds_nodes::RequestExceedsNodes,
    &admission::request_over_limit::RequestOverLimit,
    &admission::quantity_invalid::QuantityInvalid,
    &admission::duplicate_name::DuplicateName,
    &admission::name_rejected::NameRejected,
    &admission::mount_without_volume::MountWithoutVolume,
    &admission::restart_policy_rejected::RestartPolicyRejected,
    &admission::selector_mismatch::SelectorMismatch,
    &admission::value_not_text::ValueNotText,
    &admission::value_not_a_list::ValueNotAList,
    &admission::field_missing::FieldMissing,
    &admission::value_unknown::ValueUnknown,
    &admission::field_unknown::FieldUnknown,
    &admission::probe_rejected::ProbeRejected,
    &admission::port_rejected::PortRejected,
    &admission::path_rejected::PathRejected,
    &admission::privilege_contradiction::PrivilegeContradiction,
    &configuration::variable_undefined::VariableUndefined,
    &configuration::host_port_crowded::HostPortCrowded,
    &command::command_misspelt::CommandMisspelt,
    &command::shell_swallows_sigterm::ShellSwallowsSigterm,
    &image::image_untagged::ImageUntagged,
    &memory::memory_unlimited::MemoryUnlimited,
    &probe::probe_missing::ProbeMissing,
];

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static dyn Rule> {
    RULES.iter().copied().find(|rule| rule.id() == id)
}

/// The rules that say what the API server's own validation refuses.
const VALIDATION: [&str; 15] = [
    "request-over-limit",
    "quantity-invalid",
    "duplicate-name",
    "name-rejected",
    "mount-without-volume",
    "restart-policy-rejected",
    "selector-mismatch",
    "value-not-text",
    "value-not-a-list",
    "value-unknown",
    "field-missing",
    "probe-rejected",
    "port-rejected",
    "path-rejected",
    "privilege-contradiction",
];

/// Whether the rule says what the API server's own validation refuses. In the life of a request validation comes before the webhooks that only
/// look on: an object that gets to them has none of it.
pub(crate) fn is_validation(id: &str) -> bool {
    VALIDATION.contains(&id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Certainty, Facts, check_at_least};
    use podsight_spec::workloads;
    use serde_json::json;

    struct Validated;

    impl Facts for Validated {
        fn is_validated(&self) -> bool {
            true
        }
    }

    #[test]
    fn what_validation_refuses_is_looked_for_where_it_did_not_look() {
        for id in VALIDATION {
            assert!(rule(id).is_some_and(|rule| rule.group() == "admission"), "{id}");
        }
        let pod = json!({"containers": [{"name": "a", "image": "b:"}, {"name": "a", "image": "c"}]});
        for (version, kind, want) in [
            ("apps/v1", "Deployment", &["image-invalid"][..]),
            ("apps/v1", "StatefulSet", &["image-invalid", "duplicate-name"]),
            ("argoproj.io/v1alpha1", "Rollout", &["image-invalid", "duplicate-name"]),
        ] {
            let value = json!({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, "spec": {"template": {"spec": pod}}});
            let rules: Vec<&str> = workloads(&value)
                .iter()
                .flat_map(|workload| check_at_least(workload, &Validated, Certainty::Likely))
                .map(|finding| finding.rule)
                .collect();
            assert_eq!(rules, want, "{kind}");
        }
    }
}
