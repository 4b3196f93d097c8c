//! Counts what the clients were sent, and how long it took.

use hdrhistogram::Histogram;
use serde_json::{Value, json};

/// What has come since [`Tally::start`].
pub(crate) struct Tally {
    pub(crate) messages: u64,
    /// How far the counts in the updates have risen, of all clients together: where each update counts one more, those
    /// that came and those that were left out.
    pub(crate) passed: u64,
    /// Updates that came twice or in the wrong order.
    wrong: u64,
    latency: Histogram<u64>,
    /// The first call, and the last delivery.
    first: u64,
    last: u64,
}

impl Tally {
    pub(crate) fn new() -> Self {
        // Three digits up to a minute; beyond that the histogram saturates, and the run is void anyhow.
        let latency = Histogram::new_with_bounds(1, 60_000_000_000, 3)
            .expect("the bounds are in their order and the digits in range");
        Self { messages: 0, passed: 0, wrong: 0, latency, first: 0, last: 0 }
    }

    pub(crate) fn start(&mut self) {
        (self.messages, self.passed, self.wrong) = (0, 0, 0);
        (self.first, self.last) = (0, 0);
        self.latency.reset();
    }

    /// An update that was called at `stamp` came at `now`, to a client whose latest was of `before` and counted `rise`
    /// less.
    pub(crate) fn update(&mut self, stamp: u64, now: u64, before: u64, rise: u64) {
        self.messages += 1;
        self.passed += rise;
        self.wrong += u64::from(stamp <= before);
        self.latency.saturating_record(now.saturating_sub(stamp).max(1));
        if self.first == 0 {
            self.first = stamp;
        }
        self.last = now;
    }

    /// Latencies in nanoseconds; `lost` of them never came.
    pub(crate) fn report(&self, lost: u64) -> Value {
        json!({
            "messages": self.messages,
            "passed": self.passed,
            "lost": lost,
            "wrong": self.wrong,
            "p50": self.latency.value_at_quantile(0.5),
            "p99": self.latency.value_at_quantile(0.99),
            "max": self.latency.max(),
            "spanNs": self.last - self.first,
        })
    }
}
