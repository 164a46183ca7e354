//! The catalogue: one line a rule, in the order in which findings are shown.

use crate::rule::Rule;
use crate::{admission, command, configuration, image, lifecycle, memory, probe, security};

/// All rules, in the order of the catalogue.
pub static RULES: &[&dyn Rule] = &[
    &image::image_invalid::ImageInvalid,
    &image::image_whitespace::ImageWhitespace,
    &image::image_not_found::ImageNotFound,
    &image::image_wrong_platform::ImageWrongPlatform,
    &image::pull_never::PullNever,
    &memory::memory_tiny::MemoryTiny,
    &memory::heap_over_limit::HeapOverLimit,
    &memory::heap_setting_invalid::HeapSettingInvalid,
    &memory::memory_over_limit::MemoryOverLimit,
    &memory::tmpfs_over_limit::TmpfsOverLimit,
    &security::root_contradiction::RootContradiction,
    &security::sysctl_forbidden::SysctlForbidden,
    &command::command_not_a_program::CommandNotAProgram,
    &command::shell_without_script::ShellWithoutScript,
    &command::script_syntax_error::ScriptSyntaxError,
    &command::nothing_to_run::NothingToRun,
    &command::command_ends_at_once::CommandEndsAtOnce,
    &configuration::missing_config_ref::MissingConfigRef,
    &configuration::missing_claim::MissingClaim,
    &configuration::subpath_key_missing::SubpathKeyMissing,
    &probe::probe_always_fails::ProbeAlwaysFails,
    &probe::probe_port_name_unknown::ProbePortNameUnknown,
    &probe::probe_host_localhost::ProbeHostLocalhost,
    &probe::liveness_window::LivenessWindow,
    &lifecycle::prestop_exceeds_grace::PrestopExceedsGrace,
    &lifecycle::post_start_fails::PostStartFails,
    &admission::missing_service_account::MissingServiceAccount,
    &admission::missing_priority_class::MissingPriorityClass,
    &admission::missing_runtime_class::MissingRuntimeClass,
    &admission::request_over_limit::RequestOverLimit,
    &admission::quantity_invalid::QuantityInvalid,
    &admission::duplicate_name::DuplicateName,
    &admission::name_rejected::NameRejected,
    &admission::mount_without_volume::MountWithoutVolume,
    &admission::restart_policy_rejected::RestartPolicyRejected,
    &admission::selector_mismatch::SelectorMismatch,
    &admission::value_not_text::ValueNotText,
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
