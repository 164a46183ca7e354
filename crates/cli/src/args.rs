//! The arguments, and what every verb shares.

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use podsight_cause::Lang;
use std::ffi::OsString;
use std::process::ExitCode;

/// Foresight at kubectl apply, hindsight after a kill.
#[derive(Debug, Parser)]
#[command(name = "podsight", version, max_term_width = 100)]
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
    Doctor(crate::doctor::Args),
    ExitCode(crate::exit_code::Args),
    Reason(crate::reason::Args),
    Rules(crate::rules::Args),
    Completions(crate::completions::Args),
    #[command(hide = true)]
    Manual(crate::manual::Args),
}

impl Args {
    /// Reads the command line. Wrong usage ends the program with status 2, `--help` with 0.
    ///
    /// A copy or link of the program named `kubectl-podsight` is run by kubectl as a plugin and calls itself as the user does.
    pub(crate) fn from_command_line(line: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let line: Vec<OsString> = line.into_iter().collect();
        let matches = command(line.first()).try_get_matches_from(line)?;
        Self::from_arg_matches(&matches)
    }

    /// Runs the verb.
    pub(crate) fn run(self) -> ExitCode {
        match self.verb {
            Verb::Check(args) => args.run(),
            Verb::Kmsg(args) => args.run(),
            Verb::Explain(args) => args.run(),
            Verb::Oom(args) => args.run(),
            Verb::Doctor(args) => args.run(),
            Verb::ExitCode(args) => args.run(),
            Verb::Reason(args) => args.run(),
            Verb::Rules(args) => args.run(),
            Verb::Completions(args) => args.run(),
            Verb::Manual(args) => args.run(),
        }
    }
}

/// The command as it is called under this name of the program.
pub(crate) fn command(program: Option<&OsString>) -> clap::Command {
    let stem = program.map(std::path::Path::new).and_then(std::path::Path::file_stem);
    let plugin = stem.is_some_and(|stem| stem.to_string_lossy().replace('_', "-").starts_with("kubectl-podsight"));
    let command = Args::command();
    if plugin { command.name("kubectl-podsight").bin_name("kubectl podsight") } else { command }
}

/// The format of a verb that speaks text and JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one object with a schema.
    Json,
}

/// The options of a verb that speaks text and JSON; flatten it into the verb's arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Output {
    /// Output format
    #[arg(short = 'o', long = "format", visible_alias = "output", value_enum, default_value_t)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) voice: Voice,
}

/// The language and the colours, for every verb.
#[derive(Debug, clap::Args)]
pub(crate) struct Voice {
    /// Language of messages [default: from the locale]
    #[arg(long, value_enum)]
    lang: Option<LangArg>,
    /// When to use colours
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: ColorArg,
}

impl Voice {
    /// The language that was asked for, or the locale's.
    pub(crate) fn lang(&self) -> Lang {
        match self.lang {
            Some(LangArg::En) => Lang::En,
            Some(LangArg::Zh) => Lang::Zh,
            None => ["LC_ALL", "LC_MESSAGES", "LANG"]
                .iter()
                .filter_map(|name| std::env::var(name).ok())
                .find(|value| !value.is_empty())
                .map_or(Lang::En, |locale| Lang::from_locale(&locale)),
        }
    }

    /// When to use colours on standard output.
    pub(crate) fn color(&self) -> anstream::ColorChoice {
        match self.color {
            ColorArg::Auto => anstream::ColorChoice::Auto,
            ColorArg::Always => anstream::ColorChoice::Always,
            ColorArg::Never => anstream::ColorChoice::Never,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LangArg {
    En,
    Zh,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum ColorArg {
    #[default]
    Auto,
    Always,
    Never,
}
