//! One measured number.

/// A number, what it should be, and how it came about.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) what: &'static str,
    pub(crate) measured: f64,
    pub(crate) unit: &'static str,
    pub(crate) aim: Aim,
    pub(crate) how: String,
}

/// What the number should be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Aim {
    AtMost(f64),
    AtLeast(f64),
    /// Nothing: it is for the reader.
    None,
}

impl Figure {
    pub(crate) fn is_reached(&self) -> bool {
        match self.aim {
            Aim::AtMost(most) => self.measured <= most,
            Aim::AtLeast(least) => self.measured >= least,
            Aim::None => true,
        }
    }

    pub(crate) fn shown(&self) -> String {
        format!("{} {}", number(self.measured), self.unit)
    }

    pub(crate) fn aimed(&self) -> String {
        match self.aim {
            Aim::AtMost(most) => format!("≤ {} {}", number(most), self.unit),
            Aim::AtLeast(least) => format!("≥ {} {}", number(least), self.unit),
            Aim::None => "–".to_owned(),
        }
    }
}

/// All figures as a Markdown table.
pub(crate) fn table(figures: &[Figure]) -> String {
    let mut text = String::from("| what | measured | aim | how |\n|---|---|---|---|\n");
    for figure in figures {
        let missed = if figure.is_reached() { "" } else { " (missed)" };
        text.push_str(&["| ", figure.what, " | ", &figure.shown(), missed, " | ", &figure.aimed(), " | ", &figure.how, " |\n"].concat());
    }
    text
}

/// Three significant digits, large numbers whole.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_aim_is_said() {
        let figure =
            |measured| Figure { what: "agent, resident", measured, unit: "MiB", aim: Aim::AtMost(10.0), how: "after a minute".into() };
        assert_eq!(
            table(&[figure(6.125), figure(12.0)]),
            "| what | measured | aim | how |\n|---|---|---|---|\n\
             | agent, resident | 6.12 MiB | ≤ 10.0 MiB | after a minute |\n\
             | agent, resident | 12.0 MiB (missed) | ≤ 10.0 MiB | after a minute |\n"
        );
    }
}
