//! What the user sees while it takes long: a spinner on a terminal, one line a step in a pipe.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Shows one step after the other on standard error.
#[derive(Debug, Clone)]
pub struct Progress {
    started: Instant,
    // Clones share the bar.
    spinner: Option<ProgressBar>,
}

impl Default for Progress {
    fn default() -> Self {
        let spinner = io::stderr().is_terminal().then(|| {
            let spinner = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}") {
                spinner.set_style(style);
            }
            spinner
        });
        Self { started: Instant::now(), spinner }
    }
}

impl Progress {
    /// Starts a step; the one before it is done.
    pub fn step(&self, text: &str) {
        match &self.spinner {
            Some(spinner) => {
                spinner.reset_elapsed();
                spinner.enable_steady_tick(Duration::from_millis(120));
                spinner.set_message(text.to_owned());
            }
            None => self.line(text),
        }
    }

    /// Says something that stays on the screen.
    pub fn say(&self, text: &str) {
        match &self.spinner {
            Some(spinner) => spinner.suspend(|| write_line(text)),
            None => self.line(text),
        }
    }

    /// No step is under way any more.
    pub fn done(&self) {
        if let Some(spinner) = &self.spinner {
            spinner.disable_steady_tick();
            spinner.set_message("");
            spinner.finish_and_clear();
        }
    }

    fn line(&self, text: &str) {
        write_line(&format!("[{:5.1} s] {text}", self.started.elapsed().as_secs_f64()));
    }
}

fn write_line(text: &str) {
    // Nobody is left to be told when standard error is closed.
    writeln!(io::stderr(), "{text}").ok();
}
