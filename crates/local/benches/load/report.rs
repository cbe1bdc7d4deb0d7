//! What came of a run.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::{Failure, Operation};

/// A process that has grown by more, in per cent, keeps something of each request.
const MOST_GROWTH: u64 = 10;

/// One request.
pub(crate) struct Sample {
    /// From the time that it was due.
    pub(crate) taken: Duration,
    pub(crate) fault: Option<String>,
}

/// All of them.
pub(crate) struct Report {
    span: Duration,
    rows: Vec<(Operation, Vec<Sample>)>,
}

impl Report {
    pub(crate) const fn new(span: Duration) -> Self {
        Self { span, rows: Vec::new() }
    }

    pub(crate) fn add(&mut self, operation: Operation, mut samples: Vec<Sample>) {
        samples.sort_by_key(|sample| sample.taken);
        self.rows.push((operation, samples));
        self.rows.sort_by_key(|(_, samples)| std::cmp::Reverse(samples.len()));
    }

    /// A failure if a request was not answered as it should be, or if the process has grown.
    pub(crate) fn verdict(&self, before_kib: u64, after_kib: u64) -> Result<(), Failure> {
        let faults: BTreeSet<&str> = self.samples().filter_map(|sample| sample.fault.as_deref()).collect();
        if !faults.is_empty() {
            return Err(faults.into_iter().take(10).collect::<Vec<_>>().join("\n").into());
        }
        if after_kib > before_kib + before_kib * MOST_GROWTH / 100 {
            return Err(format!("the stack has grown by more than {MOST_GROWTH}%").into());
        }
        Ok(())
    }

    fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.rows.iter().flat_map(|(_, samples)| samples)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:10}{:>9}{:>7}{:>9}{:>9}{:>9}{:>9}",
            "", "requests", "/s", "p50 ms", "p90", "p99", "errors"
        )?;
        for (operation, samples) in &self.rows {
            let errors = samples.iter().filter(|sample| sample.fault.is_some()).count();
            let per_second = per_second(samples.len(), self.span);
            write!(f, "{:10}{:>9}{per_second:>7.1}", format!("{operation:?}").to_lowercase(), samples.len())?;
            for percent in [50, 90, 99] {
                write!(f, "{:>9.1}", percentile(samples, percent).as_secs_f64() * 1_000.0)?;
            }
            writeln!(f, "{errors:>9}")?;
        }
        let all = self.samples().count();
        writeln!(f, "{:10}{all:>9}{:>7.1}", "all", per_second(all, self.span))
    }
}

fn per_second(requests: usize, span: Duration) -> f64 {
    u32::try_from(requests).map_or(f64::INFINITY, f64::from) / span.as_secs_f64()
}

/// The time that so many per cent of the requests took at most; `samples` are sorted.
fn percentile(samples: &[Sample], percent: usize) -> Duration {
    let rank = (samples.len() * percent).div_ceil(100).saturating_sub(1);
    samples.get(rank).map_or(Duration::ZERO, |sample| sample.taken)
}
