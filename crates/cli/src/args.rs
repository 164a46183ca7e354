//! The arguments and what every verb shares.

use clap::{Parser, Subcommand, ValueEnum};
use std::process::ExitCode;

/// Foresight at kubectl apply, hindsight after a kill.
#[derive(Debug, Parser)]
#[command(name = "podsight", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Check(crate::check::Args),
    Kmsg(crate::kmsg::Args),
    Explain(crate::explain::Args),
    Oom(crate::oom::Args),
    ExitCode(crate::exit_code::Args),
    Reason(crate::reason::Args),
    Rules(crate::rules::Args),
    Completions(crate::completions::Args),
}

/// The language of messages.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LangArg {
    En,
    Zh,
}

impl Args {
    /// Runs the verb.
    pub(crate) fn run(self) -> ExitCode {
        match self.verb {
            Verb::Check(args) => args.run(),
            Verb::Kmsg(args) => args.run(),
            Verb::Explain(args) => args.run(),
            Verb::Oom(args) => args.run(),
            Verb::ExitCode(args) => args.run(),
            Verb::Reason(args) => args.run(),
            Verb::Rules(args) => args.run(),
            Verb::Completions(args) => args.run(),
        }
    }
}
