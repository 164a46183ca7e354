//! The registry of metrics and what every program tells about itself.

use nix::unistd::{SysconfVar, sysconf};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::fs;

/// The media type of [`encode`]'s text.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The registry of a program: its own metrics are prefixed with `program`, such as `podsight_webhook`; the ones of the process have
/// the names that Prometheus' clients share (`process_resident_memory_bytes`, …).
#[derive(Debug)]
pub struct Metrics {
    root: Registry,
    program: &'static str,
}

impl Metrics {
    /// The registry of `program`, with `podsight_…_build_info` and the process' metrics.
    pub fn new(program: &'static str, version: &'static str) -> Self {
        let mut root = Registry::default();
        root.register_collector(Box::new(Process));
        let mut metrics = Self { root, program };
        metrics.own().register("build", "The version of the program", Info::new(vec![("version", version)]));
        metrics
    }

    /// Where the program registers its own metrics.
    pub fn own(&mut self) -> &mut Registry {
        self.root.sub_registry_with_prefix(self.program)
    }

    /// The `OpenMetrics` text.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut buffer = String::with_capacity(16 * 1024);
        text::encode(&mut buffer, &self.root)?;
        Ok(buffer)
    }
}

/// What Linux says of this process: memory, CPU time, open files.
#[derive(Debug)]
struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        if let Some(bytes) = resident_bytes() {
            let gauge = ConstGauge::new(bytes);
            let name = "process_resident_memory";
            gauge.encode(encoder.encode_descriptor(name, "Resident memory size.", Some(&Unit::Bytes), gauge.metric_type())?)?;
        }
        if let Some(seconds) = cpu_seconds() {
            let counter = ConstCounter::new(seconds);
            let help = "Total user and system CPU time spent.";
            counter.encode(encoder.encode_descriptor("process_cpu", help, Some(&Unit::Seconds), counter.metric_type())?)?;
        }
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            let gauge = ConstGauge::new(i64::try_from(files.count()).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(
                "process_open_fds",
                "Number of open file descriptors.",
                None,
                gauge.metric_type(),
            )?)?;
        }
        Ok(())
    }
}

/// The second field of `/proc/self/statm`, in bytes.
fn resident_bytes() -> Option<i64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: i64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(sysconf(SysconfVar::PAGE_SIZE).ok()??)
}

/// `utime` and `stime` of `/proc/self/stat` (proc(5)), in seconds.
fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses and may hold anything.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    let ticks_per_second = u32::try_from(sysconf(SysconfVar::CLK_TCK).ok()??).ok()?;
    Some((f64::from(user) + f64::from(system)) / f64::from(ticks_per_second))
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::metrics::counter::Counter;

    #[test]
    fn text_whole() {
        let mut metrics = Metrics::new("podsight_thing", "1.2.3");
        let counter: Counter = Counter::default();
        metrics.own().register("lines", "Lines read", counter.clone());
        counter.inc_by(3);
        let text = metrics.encode().unwrap();
        let stable: Vec<String> = text
            .lines()
            .map(|line| match line.split_once(' ') {
                Some((name, value)) if name.starts_with("process_") => {
                    assert!(value.parse::<f64>().unwrap() >= 0.0, "{line}");
                    format!("{name} …")
                }
                _ => line.to_owned(),
            })
            .collect();
        assert_eq!(
            stable.join("\n"),
            "# HELP process_resident_memory_bytes Resident memory size.\n\
             # TYPE process_resident_memory_bytes gauge\n\
             # UNIT process_resident_memory_bytes bytes\n\
             process_resident_memory_bytes …\n\
             # HELP process_cpu_seconds Total user and system CPU time spent.\n\
             # TYPE process_cpu_seconds counter\n\
             # UNIT process_cpu_seconds seconds\n\
             process_cpu_seconds_total …\n\
             # HELP process_open_fds Number of open file descriptors.\n\
             # TYPE process_open_fds gauge\n\
             process_open_fds …\n\
             # HELP podsight_thing_build The version of the program.\n\
             # TYPE podsight_thing_build info\n\
             podsight_thing_build_info{version=\"1.2.3\"} 1\n\
             # HELP podsight_thing_lines Lines read.\n\
             # TYPE podsight_thing_lines counter\n\
             podsight_thing_lines_total 3\n\
             # EOF"
        );
    }
}
