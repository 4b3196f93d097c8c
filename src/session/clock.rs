//! What time alone brings about: deadlines and the heartbeat (RFC 6455 §5.5.2).

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::closing::Phase;
use super::{Effect, Session};
use crate::close::{self, CloseReason};
use crate::frame;
use crate::metrics::Limit;
use crate::notice::Abandoned;
use crate::options::Options;
use crate::shared::Shared;

impl Session {
    /// When the session has to be polled though nothing happens.
    pub fn deadline(&self, shared: &Shared) -> Instant {
        if let Some(deadline) = self.phase.deadline() {
            return deadline;
        }
        let slow = self.slow_due(&shared.options);
        let asked = self.rare.as_ref().and_then(|rare| rare.questions.deadline());
        let expires = self.rare.as_ref().and_then(|rare| rare.expires);
        let others = [slow, expires, asked].into_iter().flatten();
        others.fold(self.heartbeat_due(&shared.options), Instant::min)
    }

    fn slow_due(&self, options: &Options) -> Option<Instant> {
        self.rare.as_ref()?.slow.map(|since| since + options.slow_timeout)
    }

    fn heartbeat_due(&self, options: &Options) -> Instant {
        self.heard + if self.pinged { options.pong_timeout } else { options.ping_interval }
    }

    /// Does what is due.
    pub(super) fn on_time(&mut self, shared: &Shared) -> Option<Effect> {
        let now = Instant::now();
        if now < self.deadline(shared) {
            return None;
        }
        match self.phase {
            Phase::Open => self.on_time_open(now, shared),
            Phase::Verdict { .. } => {
                self.start_close(close::TRY_AGAIN_LATER, shared);
                Some(Effect::Unverified)
            }
            Phase::Closing(_) | Phase::Ending(_) | Phase::Lingering(_) => {
                Some(Effect::Ended(self.outcome(close::ABNORMAL)))
            }
        }
    }

    fn on_time_open(&mut self, now: Instant, shared: &Shared) -> Option<Effect> {
        let is_due = |at: Option<Instant>| at.is_some_and(|at| now >= at);
        if is_due(self.rare.as_ref().and_then(|rare| rare.expires)) {
            self.start_close(close::SESSION_EXPIRED, shared);
        } else if is_due(self.slow_due(&shared.options)) {
            shared.counters.limited(Limit::Slow);
            self.outbox.abandon();
            self.start_close(close::SLOW_CONSUMER, shared);
        } else if let Some(ask) = self.rare.as_mut().and_then(|rare| rare.questions.time_out(now)) {
            return Some(Effect::Abandon { ask: Some(ask), why: Abandoned::Timeout });
        } else {
            return self.beat(now, shared);
        }
        None
    }

    /// Pings a silent peer, and ends one that stays silent: without a Close frame, since nobody is there to read it.
    fn beat(&mut self, now: Instant, shared: &Shared) -> Option<Effect> {
        if self.rare.as_ref().is_some_and(|rare| !rare.questions.takes_more()) {
            // It is the bot that keeps us from listening: the peer's silence says nothing.
            (self.heard, self.pinged) = (now, false);
            return None;
        }
        if self.pinged {
            shared.counters.limited(Limit::Heartbeat);
            return Some(Effect::Ended(CloseReason::new(close::ABNORMAL, "")));
        }
        (self.heard, self.pinged) = (now, true);
        self.outbox.push_answer(frame::ping());
        None
    }
}

/// The time until `at`, at most a year: past that a clock has been set anyway.
pub(super) fn remaining(at: SystemTime) -> Duration {
    at.duration_since(SystemTime::now())
        .unwrap_or_default()
        .min(Duration::from_secs(365 * 24 * 3600))
}
