//! Counters and gauges, and their Prometheus text (exposition format 0.0.4). Never a room, user or address in a label.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Actions that are counted by name; anything else is `invalid`.
pub const ACTIONS: [&str; 5] = ["JOIN_ROOM", "LEAVE_ROOM", "GET_ROOM_STATUS", "PING", "invalid"];
/// Close codes that are counted by number; anything else is `other`, since a client may send any of 2 000.
const CODES: [u16; 11] = [1000, 1001, 1002, 1005, 1006, 1007, 1008, 1009, 1011, 1013, 0];
/// Labels of refusals, as [`Refusal::label`](crate::handshake::Refusal::label) gives them.
const REFUSALS: [&str; 10] = [
    "bad_request",
    "origin",
    "method",
    "upgrade",
    "version",
    "path",
    "address_limit",
    "limit",
    "header",
    "timeout",
];
/// Upper bounds of `fanout_seconds`.
const BUCKETS: [f64; 10] = [0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

/// Which hook failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// `authenticate`
    Authenticate,
    /// `authorizeJoin`
    AuthorizeJoin,
}

const HOOKS: [&str; 2] = ["authenticate", "authorizeJoin"];

/// Which limit an open connection ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// A join over `maxRoomsPerConnection`.
    Rooms,
    /// A message, fragment or control frame over the rate; it was dropped.
    Rate,
    /// More than twice the rate, for too long; the connection was closed.
    Flood,
    /// A message over `maxPayload`; the connection was closed.
    Payload,
    /// A peer that stayed silent; the connection was ended.
    Heartbeat,
    /// A backlog that stood for `slowTimeout`; the connection was closed.
    Slow,
}

const LIMITS: [&str; 6] = ["rooms", "rate", "flood", "payload", "heartbeat", "slow"];

/// What one shard holds at the moment. Written by the shard alone.
#[derive(Debug, Default)]
pub struct Gauges {
    /// Its sessions.
    pub connections: AtomicU64,
    /// Bytes that wait for its clients.
    pub backlog: AtomicU64,
    /// Clients whose backlog was conflated and is not empty yet.
    pub slow: AtomicU64,
}

/// What has happened since the hub was opened.
#[derive(Debug, Default)]
pub struct Counters {
    /// Clients let in by the handshake.
    pub connections: AtomicU64,
    /// Updates handed over.
    pub updates: AtomicU64,
    /// Updates given to a client's socket or outbox.
    pub deliveries: AtomicU64,
    /// Bytes written.
    pub sent_bytes: AtomicU64,
    /// Updates dropped by conflation.
    pub conflated: AtomicU64,
    /// Whether the cluster answers: 1 or 0.
    pub cluster_up: AtomicU64,
    /// Connections to the cluster made anew.
    pub cluster_reconnects: AtomicU64,
    /// Updates that did not reach the cluster.
    pub cluster_dropped: AtomicU64,
    disconnections: [AtomicU64; CODES.len()],
    refusals: [AtomicU64; REFUSALS.len()],
    limits: [AtomicU64; LIMITS.len()],
    received: [AtomicU64; ACTIONS.len()],
    hook_failures: [AtomicU64; HOOKS.len()],
    fanout: [AtomicU64; BUCKETS.len() + 1],
    fanout_nanos: AtomicU64,
}

/// Adds to a counter; counters order nothing.
pub fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

/// Sets a gauge.
pub fn set(gauge: &AtomicU64, value: u64) {
    gauge.store(value, Ordering::Relaxed);
}

/// Reads a counter or gauge.
pub fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn count<T: PartialEq>(counters: &[AtomicU64], labels: &[T], label: T) {
    // The last label is the one for everything else.
    let at = labels.iter().position(|known| *known == label).unwrap_or(labels.len() - 1);
    add(&counters[at], 1);
}

impl Counters {
    /// A connection ended with this code.
    pub fn disconnected(&self, code: u16) {
        count(&self.disconnections, &CODES, code);
    }

    /// An upgrade was refused.
    pub fn refused(&self, label: &'static str) {
        count(&self.refusals, &REFUSALS, label);
    }

    /// An open connection ran into a limit.
    pub fn limited(&self, limit: Limit) {
        add(&self.limits[limit as usize], 1);
    }

    /// A message came.
    pub fn received(&self, action: &str) {
        count(&self.received, &ACTIONS, action);
    }

    /// A hook of the bot threw, rejected or did not answer.
    pub fn hook_failed(&self, hook: Hook) {
        add(&self.hook_failures[hook as usize], 1);
    }

    /// One shard has handed an update to all its members.
    pub fn fanned_out(&self, after: Duration) {
        let seconds = after.as_secs_f64();
        let bucket = BUCKETS.iter().position(|bound| seconds <= *bound).unwrap_or(BUCKETS.len());
        add(&self.fanout[bucket], 1);
        add(&self.fanout_nanos, u64::try_from(after.as_nanos()).unwrap_or(u64::MAX));
    }
}

/// What is counted elsewhere and belongs in the text.
#[derive(Debug, Default)]
pub struct Totals {
    /// Open sockets.
    pub connections: u64,
    /// Rooms known.
    pub rooms: u64,
    /// Memberships.
    pub memberships: u64,
    /// Bytes that wait.
    pub buffered_bytes: u64,
    /// Slow clients.
    pub slow_clients: u64,
    /// The hub is part of a cluster.
    pub clustered: bool,
}

/// The Prometheus text.
pub fn render(counters: &Counters, totals: &Totals) -> String {
    let mut text = Text(String::with_capacity(4096));
    text.single("connections", "gauge", "Open connections.", totals.connections);
    text.single("rooms", "gauge", "Rooms known.", totals.rooms);
    text.single(
        "memberships",
        "gauge",
        "Memberships: a connection counts once per room that it is in.",
        totals.memberships,
    );
    text.single("buffered_bytes", "gauge", "Bytes that wait for clients.", totals.buffered_bytes);
    text.single(
        "slow_clients",
        "gauge",
        "Clients whose backlog is being conflated.",
        totals.slow_clients,
    );
    text.single(
        "connections_total",
        "counter",
        "Connections accepted.",
        get(&counters.connections),
    );
    let codes = CODES.map(|code| if code == 0 { "other".into() } else { code.to_string() });
    text.labelled(
        "disconnections_total",
        "Connections ended, by close code.",
        "code",
        &codes,
        &counters.disconnections,
    );
    text.labelled(
        "refusals_total",
        "Upgrade requests refused.",
        "reason",
        &REFUSALS,
        &counters.refusals,
    );
    text.labelled(
        "limits_total",
        "Joins and messages dropped, and connections ended, for a limit of one connection.",
        "limit",
        &LIMITS,
        &counters.limits,
    );
    text.labelled(
        "messages_received_total",
        "Messages received.",
        "action",
        &ACTIONS,
        &counters.received,
    );
    text.single(
        "updates_total",
        "counter",
        "Updates handed over by the bot.",
        get(&counters.updates),
    );
    text.single(
        "deliveries_total",
        "counter",
        "Updates given to clients.",
        get(&counters.deliveries),
    );
    text.single("sent_bytes_total", "counter", "Bytes written.", get(&counters.sent_bytes));
    text.single(
        "conflated_total",
        "counter",
        "Updates dropped for newer ones.",
        get(&counters.conflated),
    );
    text.labelled(
        "hook_failures_total",
        "Hooks that threw, rejected or timed out.",
        "hook",
        &HOOKS,
        &counters.hook_failures,
    );
    if totals.clustered {
        text.cluster(counters);
    }
    text.histogram(counters);
    text.0
}

struct Text(String);

impl Text {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{line}");
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP roomcast_{name} {help}\n# TYPE roomcast_{name} {kind}"));
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.head(name, kind, help);
        self.line(format_args!("roomcast_{name} {value}"));
    }

    fn labelled(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        labels: &[impl AsRef<str>],
        values: &[AtomicU64],
    ) {
        self.head(name, "counter", help);
        for (known, value) in labels.iter().zip(values) {
            self.line(format_args!(
                "roomcast_{name}{{{label}=\"{}\"}} {}",
                known.as_ref(),
                get(value)
            ));
        }
    }

    fn cluster(&mut self, counters: &Counters) {
        self.single(
            "cluster_reconnects_total",
            "counter",
            "Connections to the cluster made anew.",
            get(&counters.cluster_reconnects),
        );
        self.single(
            "cluster_dropped_total",
            "counter",
            "Updates that did not reach the cluster.",
            get(&counters.cluster_dropped),
        );
        self.single(
            "cluster_up",
            "gauge",
            "Whether the cluster answers.",
            get(&counters.cluster_up),
        );
    }

    fn histogram(&mut self, counters: &Counters) {
        self.head(
            "fanout_seconds",
            "histogram",
            "From the bot's call until a thread has handed the update to all its members.",
        );
        let mut total = 0;
        let bounds = BUCKETS.iter().map(f64::to_string).chain(["+Inf".into()]);
        for (bound, bucket) in bounds.zip(&counters.fanout) {
            total += get(bucket);
            self.line(format_args!("roomcast_fanout_seconds_bucket{{le=\"{bound}\"}} {total}"));
        }
        let seconds = Duration::from_nanos(get(&counters.fanout_nanos)).as_secs_f64();
        self.line(format_args!(
            "roomcast_fanout_seconds_sum {seconds}\nroomcast_fanout_seconds_count {total}"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_every_metric_with_help_and_type() {
        let counters = Counters::default();
        counters.disconnected(1006);
        counters.disconnected(4242);
        counters.received("PING");
        counters.received("DANCE");
        counters.hook_failed(Hook::AuthorizeJoin);
        counters.limited(Limit::Slow);
        counters.fanned_out(Duration::from_millis(3));
        let text = render(&counters, &Totals { connections: 7, ..Totals::default() });
        for line in [
            "roomcast_connections 7",
            "roomcast_disconnections_total{code=\"1006\"} 1",
            "roomcast_disconnections_total{code=\"other\"} 1",
            "roomcast_limits_total{limit=\"rooms\"} 0",
            "roomcast_limits_total{limit=\"slow\"} 1",
            "roomcast_messages_received_total{action=\"PING\"} 1",
            "roomcast_messages_received_total{action=\"invalid\"} 1",
            "roomcast_hook_failures_total{hook=\"authorizeJoin\"} 1",
            "roomcast_fanout_seconds_bucket{le=\"0.001\"} 0",
            "roomcast_fanout_seconds_bucket{le=\"0.005\"} 1",
            "roomcast_fanout_seconds_bucket{le=\"+Inf\"} 1",
            "roomcast_fanout_seconds_sum 0.003",
            "# TYPE roomcast_fanout_seconds histogram",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
