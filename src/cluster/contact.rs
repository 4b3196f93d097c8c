//! Whether Redis is there: the connection, how it is lost, and how it comes back.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use super::Cluster;
use super::ask::try_out;
use super::fault::Fault;
use super::line::{Item, Keys, Kind, Mode, Topic};
use super::link::{ANSWER, Link, Pushes};
use crate::errand::Errand;
use crate::metrics;
use crate::notice::{Level, Notice};

/// Between two attempts to connect.
const RETRY: Duration = Duration::from_millis(200);
/// The same where Redis does not let us in: it will take somebody to mend that.
const RETRY_FORBIDDEN: Duration = Duration::from_secs(2);
/// After so long without an answer Redis is asked for one.
const PING: Duration = Duration::from_millis(500);

type Opening = Pin<Box<dyn Future<Output = Result<(Link, Pushes), Fault>> + Send>>;

/// What is known of Redis.
pub(super) struct Contact {
    link: Option<(Link, Pushes)>,
    linked_at: Instant,
    opening: Option<Opening>,
    retry_at: Instant,
    /// It has not answered since; none where all is well.
    silent_since: Option<Instant>,
    answered_at: Instant,
    /// A look whether it answers is under way.
    pinged: bool,
    /// The connection has been found to be of use.
    ready: bool,
    away: bool,
    /// It was there at least once.
    met: bool,
    /// The bot's side has heard that it is there.
    told_up: bool,
    fault: Option<Fault>,
    /// What the bot's side was told last.
    reported: Option<Fault>,
}

impl Contact {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            link: None,
            linked_at: now,
            opening: None,
            retry_at: now,
            silent_since: Some(now),
            answered_at: now,
            pinged: false,
            ready: false,
            away: false,
            met: false,
            told_up: false,
            fault: None,
            reported: None,
        }
    }

    pub(super) fn link(&self) -> Option<&Link> {
        self.link.as_ref().map(|(link, _)| link)
    }

    pub(super) fn pushes(&mut self) -> Option<&mut Pushes> {
        self.link.as_mut().map(|(_, pushes)| pushes)
    }

    /// Redis answers and has been found to be of use.
    pub(super) fn is_ready(&self) -> bool {
        self.ready
    }

    /// Redis has not answered for too long.
    pub(super) fn is_away(&self) -> bool {
        self.away
    }

    pub(super) fn answered(&mut self, now: Instant) {
        (self.answered_at, self.pinged) = (now, false);
    }

    /// When something is to be done here.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let gone = self.silent_since.filter(|_| !self.away).map(|since| since + ANSWER);
        let next = if self.link.is_none() {
            self.opening.is_none().then_some(self.retry_at)
        } else {
            (!self.pinged).then_some(self.answered_at + PING)
        };
        gone.into_iter().chain(next).min()
    }
}

impl Cluster {
    /// Connects where there is no connection, finds out whether there still is one, and says so.
    pub(super) fn stay_in_contact(&mut self, cx: &mut Context<'_>) {
        let now = Instant::now();
        if self.contact.link.is_none()
            && self.contact.opening.is_none()
            && now >= self.contact.retry_at
        {
            let (address, processes) = (self.address.clone(), self.processes());
            let (process, prefix) = (self.process.clone(), self.prefix.clone());
            self.contact.opening = Some(Box::pin(async move {
                let (link, pushes) = Link::open(address.clone()).await?;
                let orders = Keys::new(&prefix, address.db, &Topic::Orders);
                try_out(&link, processes, process, orders).await?;
                Ok((link, pushes))
            }));
        }
        if let Some(opening) = &mut self.contact.opening
            && let Poll::Ready(opened) = opening.as_mut().poll(cx)
        {
            self.contact.opening = None;
            match opened {
                Ok(link) => self.linked(link),
                Err(fault) => self.failed(fault),
            }
        }
        let contact = &mut self.contact;
        if contact.link.is_some() && !contact.pinged && now >= contact.answered_at + PING {
            contact.pinged = true;
            self.ping();
        }
        if !self.contact.away
            && self.contact.silent_since.is_some_and(|since| now >= since + ANSWER)
        {
            self.go_away();
        }
    }

    fn linked(&mut self, link: (Link, Pushes)) {
        let now = Instant::now();
        self.contact.link = Some(link);
        self.contact.linked_at = now;
        self.contact.answered(now);
        // The first line to be brought up to date: so it is seen whether Redis lets us do all that has to be done.
        self.line(&Topic::Orders);
    }

    fn failed(&mut self, fault: Fault) {
        let (code, wrong) = match &fault {
            Fault::Away(_) | Fault::Refused(_) => ("", ""),
            Fault::Forbidden(_) => (
                "CLUSTER_AUTH",
                "does not let this hub in: user and password in cluster.url, and what the user may do, have to be right",
            ),
            Fault::TooOld(_) => {
                ("CLUSTER_VERSION", "is too old: version 7.0 or later, or Valkey, is needed")
            }
        };
        let pause = if code.is_empty() { RETRY } else { RETRY_FORBIDDEN };
        self.contact.retry_at = Instant::now() + pause;
        if !code.is_empty() && self.contact.reported.as_ref() != Some(&fault) {
            let message = format!("Redis at {} {wrong} ({})", self.address.hosts(), fault.text());
            self.local.notices.tell(Notice::Error { code, message });
            self.contact.reported = Some(fault.clone());
        }
        self.contact.fault = Some(fault);
    }

    /// The connection is of no use any more; `since` it has not answered.
    pub(super) fn lose(&mut self, fault: Fault, since: Instant) {
        if self.contact.link.take().is_none() {
            return;
        }
        self.calls.clear();
        let young = self.contact.linked_at.elapsed() < ANSWER;
        self.failed(fault);
        if !young {
            self.contact.retry_at = Instant::now();
        }
        if std::mem::take(&mut self.contact.ready) {
            self.contact.silent_since.get_or_insert(since);
            self.local.rooms.unsettle();
        }
        for (topic, line) in &mut self.lines {
            line.reset();
            if !std::mem::replace(&mut line.listed, true) {
                self.due.push_back(topic.clone());
            }
            let topic = topic.clone();
            for asker in std::mem::take(&mut line.askers) {
                // Later it may be never: those of this process are told.
                if let Topic::Room(room) = &topic {
                    self.taken.push_back(Errand::Count(room.clone(), asker));
                }
            }
        }
    }

    /// Redis has not answered for too long: this process goes on alone.
    fn go_away(&mut self) {
        self.contact.away = true;
        metrics::set(&self.local.shared.counters.cluster_up, 0);
        let fault = self.contact.fault.as_ref().map_or("no answer", Fault::text);
        let message = format!(
            "Redis at {} is away ({fault}): updates reach the clients of this process alone until it is back",
            self.address.hosts()
        );
        self.local.notices.tell(Notice::Log { level: Level::Warn, message });
        self.tell_state(false);
        self.local.rooms.cut_off();
        self.backlog.clear();
        let topics: Vec<Topic> = self.lines.keys().cloned().collect();
        for topic in &topics {
            self.admit(topic);
            let Some(line) = self.lines.get_mut(topic) else { continue };
            line.kept = false;
            let mut items = std::mem::take(&mut line.flight);
            items.extend(line.queue.drain(..));
            for item in items.iter_mut().filter(|item| item.mode != Mode::Late) {
                self.do_here(topic, item);
                if *topic != Topic::Orders {
                    item.mode = Mode::Late;
                }
            }
            if let Some(line) = self.lines.get_mut(topic).filter(|_| !items.is_empty()) {
                line.queue = items.into();
                self.keep(topic.clone());
            }
        }
    }

    /// Does without Redis what an item is to bring about here.
    pub(super) fn do_here(&mut self, topic: &Topic, item: &Item) {
        let Topic::Room(room) = topic else { return };
        match item.kind {
            Kind::Update => {
                let counts = item.counts.map(|counts| (counts, item.at));
                self.local.deliver(|rooms, deliver| {
                    rooms.broadcast_here(room, &item.head, counts, deliver);
                });
            }
            Kind::Close => {
                // When it comes back from Redis it has been done.
                self.obeyed.insert(item.id);
                self.local.disconnect_room(room);
            }
            Kind::Forget => {}
        }
    }

    /// Redis has been found to be of use.
    pub(super) fn ready(&mut self) {
        if std::mem::replace(&mut self.contact.ready, true) {
            return;
        }
        let silent = self.contact.silent_since.take().map(|since| since.elapsed());
        let away = std::mem::take(&mut self.contact.away);
        if away {
            self.local.rooms.unsettle();
            let silent = silent.unwrap_or_default().as_secs_f64();
            let message = format!(
                "Redis at {} is back after {silent:.1} s: updates reach the clients of all processes again",
                self.address.hosts()
            );
            self.local.notices.tell(Notice::Log { level: Level::Warn, message });
        }
        let counters = &self.local.shared.counters;
        metrics::set(&counters.cluster_up, 1);
        if std::mem::replace(&mut self.contact.met, true) {
            metrics::add(&counters.cluster_reconnects, 1);
        }
        if away || !std::mem::replace(&mut self.contact.told_up, true) {
            self.tell_state(true);
        }
        self.contact.reported = None;
        // Rooms that Redis may have lost are given to it.
        for room in self.local.rooms.all() {
            self.line(&Topic::Room(room)).look = true;
        }
        for topic in self.lines.keys().cloned().collect::<Vec<_>>() {
            self.line(&topic);
        }
    }

    fn tell_state(&self, up: bool) {
        // Whether or not somebody listens: the first may come before the bot has got as far as to say so.
        self.local.notices.tell(Notice::Cluster { up });
    }

    /// After a fault of our own: as after the loss of the connection, with nothing known of before.
    pub(super) fn begin_again(&mut self) {
        self.lose(Fault::Away("a fault of the hub".into()), Instant::now());
        for room in self.local.rooms.all() {
            self.errands.leave(Errand::Members(room));
        }
    }
}
