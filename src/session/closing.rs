//! How a connection ends (RFC 6455 §7).
//!
//! The server closes TCP first, but never with an RST that would destroy the Close frame on its way: it ends its
//! writing side, and what still comes is read and thrown away for a while.

use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use super::stream::Read;
use super::{Effect, Scratch, Session, Step};
use crate::close::{self, CloseReason};
use crate::codec::Incoming;
use crate::frame;
use crate::shared::Shared;

/// How long the end of a peer's stream is waited for once everything is said.
pub(crate) const LINGER: Duration = Duration::from_secs(1);

/// Where in its life a session is.
#[derive(Debug)]
pub(super) enum Phase {
    /// The bot has yet to say who this is.
    Verdict { deadline: Instant },
    /// Let in.
    Open,
    /// Our Close is under way; the peer's is awaited.
    Closing(Box<End>),
    /// Both Close frames are exchanged, or the peer will not be listened to: what is queued leaves.
    Ending(Box<End>),
    /// The writing side is ended; the peer's end is awaited.
    Lingering(Box<End>),
}

/// How a session ends.
#[derive(Debug)]
pub(super) struct End {
    outcome: CloseReason,
    /// Of the phase.
    deadline: Instant,
}

impl End {
    fn new(outcome: CloseReason, within: Duration) -> Box<Self> {
        Box::new(Self { outcome, deadline: Instant::now() + within })
    }
}

impl Phase {
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Open => None,
            Self::Verdict { deadline } => Some(*deadline),
            Self::Closing(end) | Self::Ending(end) | Self::Lingering(end) => Some(end.deadline),
        }
    }
}

impl Session {
    /// Whether the session is on its way out: it takes part in nothing any more.
    pub fn is_closing(&self) -> bool {
        !matches!(self.phase, Phase::Verdict { .. } | Phase::Open)
    }

    /// Sends a Close frame behind what is queued and waits for the peer's.
    pub fn start_close(&mut self, reason: CloseReason, shared: &Shared) {
        if self.is_closing() {
            return;
        }
        self.outbox.push_answer(frame::close(&reason));
        self.phase = Phase::Closing(End::new(reason, shared.options.close_timeout));
    }

    /// Ends the connection for a violation: the peer's stream makes no sense any more, so its Close is not waited for.
    pub(super) fn refuse(&mut self, reason: CloseReason, shared: &Shared) {
        self.outbox.push_answer(frame::close(&reason));
        self.phase = Phase::Ending(End::new(reason, shared.options.close_timeout));
    }

    /// Ends the session for a fault of ours. Never after half a frame: then the connection just goes.
    pub fn fail(&mut self, cx: &mut Context<'_>) {
        if !self.outbox.in_frame() && !self.is_closing() {
            // What the socket does not take now has to be let go.
            let _ = self.transport.poll_write(cx, &frame::close(&close::INTERNAL_SERVER_ERROR));
        }
    }

    /// Answers the peer's Close with its own code.
    pub(super) fn echo_close(&mut self, reason: Option<CloseReason>) {
        self.outbox.push_answer(match &reason {
            Some(reason) => frame::close(&CloseReason::new(reason.code, "")),
            None => frame::close_empty(),
        });
        let outcome = reason.unwrap_or_else(|| CloseReason::new(close::NO_STATUS, ""));
        self.phase = Phase::Ending(End::new(outcome, LINGER));
    }

    /// How the connection ended, for the record: what was said first, or `code` where nothing was.
    pub(super) fn outcome(&self, code: u16) -> CloseReason {
        match &self.phase {
            Phase::Closing(end) | Phase::Ending(end) | Phase::Lingering(end) => end.outcome.clone(),
            Phase::Verdict { .. } | Phase::Open => CloseReason::new(code, ""),
        }
    }

    pub(super) fn await_close(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut Scratch,
        shared: &Shared,
    ) -> Step {
        match self.poll_incoming(cx, scratch, shared.options.max_payload) {
            Poll::Pending => Step::Wait,
            Poll::Ready(Read::Incoming(Incoming::Close(_)) | Read::Violation(_)) => {
                let outcome = self.outcome(close::ABNORMAL);
                self.phase = Phase::Ending(End::new(outcome, LINGER));
                Step::Again
            }
            // Messages that crossed our Close are not answered any more.
            Poll::Ready(Read::Incoming(_)) => Step::Again,
            Poll::Ready(Read::End) => Step::Effect(Effect::Ended(self.vanished())),
        }
    }

    pub(super) fn finish_writing(&mut self) -> Step {
        if !self.outbox.is_empty() {
            return Step::Wait;
        }
        self.transport.shutdown_write();
        self.phase = Phase::Lingering(End::new(self.outcome(close::ABNORMAL), LINGER));
        Step::Again
    }

    pub(super) fn linger(&mut self, cx: &mut Context<'_>, scratch: &mut Scratch) -> Step {
        match self.poll_read(cx, scratch) {
            Poll::Pending => Step::Wait,
            Poll::Ready(Ok(0) | Err(_)) => Step::Effect(Effect::Ended(self.vanished())),
            Poll::Ready(Ok(_)) => {
                scratch.clear();
                Step::Again
            }
        }
    }
}
