//! One change, and the rules by which there are changes.

use serde_json::Value;

/// `terminationMessagePolicy: FallbackToLogsOnError`
pub(crate) const TERMINATION_MESSAGE_POLICY: &str = "termination-message-policy";
/// A memory request where there is only a limit.
pub(crate) const MEMORY_REQUEST: &str = "memory-request";
/// `GOMEMLIMIT`
pub(crate) const GO_MEMORY_LIMIT: &str = "go-memory-limit";
/// `-XX:MaxRAMPercentage`
pub(crate) const JVM_RAM_PERCENTAGE: &str = "jvm-ram-percentage";
/// A memory limit by what was killed before.
pub(crate) const MEMORY_LIMIT_FROM_HISTORY: &str = "memory-limit-from-history";

/// The rules by which there are changes.
pub const RULES: [&str; 5] = [TERMINATION_MESSAGE_POLICY, MEMORY_REQUEST, GO_MEMORY_LIMIT, JVM_RAM_PERCENTAGE, MEMORY_LIMIT_FROM_HISTORY];

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// JSON pointer from the object to the value.
    pub path: String,
    /// The value as it was; null where there was none.
    pub from: Value,
    /// The value as it is now.
    pub to: Value,
    /// The rule.
    pub rule: &'static str,
    /// The container's name.
    pub container: String,
    /// What was done, in English: one sentence without the object's name.
    pub message_en: String,
    /// The same in Chinese.
    pub message_zh: String,
}
