//! Rules about what is run.

pub(crate) mod command_ends_at_once;
pub(crate) mod command_misspelt;
pub(crate) mod command_not_a_program;
pub(crate) mod nothing_to_run;
pub(crate) mod script_syntax_error;
pub(crate) mod shell_swallows_sigterm;
pub(crate) mod shell_without_script;
