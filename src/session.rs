//! One connection: the verdict on who it is, its messages, heartbeat and end.
//!
//! A session does not reach up. It is polled by its shard, and what it wants done beyond itself it returns as an
//! [`Effect`]; the shard does that and polls again, until nothing is left to do.

mod clock;
mod closing;
mod effect;
mod messages;
mod questions;
mod stream;

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use bytes::Bytes;
use smallvec::SmallVec;
use tokio::time::Instant;

use crate::admission::Permit;
use crate::close::{self, CloseReason};
use crate::message;
use crate::metrics;
use crate::notice::Client;
use crate::options::Options;
use crate::outbox::Outbox;
use crate::rate::Rate;
use crate::room::{Room, Update};
use crate::shared::Shared;
use crate::transport::Transport;

pub(crate) use closing::LINGER;
use closing::Phase;
pub use effect::{Effect, Membership, Verdict};
pub use questions::JoinVerdict;
use questions::Questions;
use stream::Inbound;
pub use stream::Scratch;

/// The server's side of one connection. What an idle one does not need is behind a pointer: there are many.
#[derive(Debug)]
pub struct Session {
    /// Unique within the hub.
    pub id: u64,
    /// The rooms it is in; kept by the shard.
    pub rooms: SmallVec<[Membership; 1]>,
    /// The bot's side has heard of it, and is to hear of its end.
    pub known: bool,
    transport: Transport,
    outbox: Outbox,
    phase: Phase,
    user: Option<Arc<str>>,
    /// None while nothing of a message has come.
    inbound: Option<Box<Inbound>>,
    rare: Option<Box<Rare>>,
    rate: Rate,
    /// When the peer was last heard, or else pinged.
    heard: Instant,
    pinged: bool,
    permit: Permit,
}

/// What only some sessions have.
#[derive(Debug, Default)]
struct Rare {
    questions: Questions,
    /// What its message asks is looked up outside this process; what else the client says has to wait.
    waits: bool,
    /// When the verdict on who this is ends.
    expires: Option<Instant>,
    /// The first conflation since the backlog was empty.
    slow: Option<Instant>,
    /// The slow consumer has been reported.
    slow_told: bool,
}

impl Session {
    /// A session whose 101 is under way, and whose client is yet to be identified. `behind`: what came behind the
    /// request.
    pub fn new(
        id: u64,
        transport: Transport,
        accept: Bytes,
        behind: Bytes,
        permit: Permit,
        options: &Options,
    ) -> Self {
        let now = Instant::now();
        Self {
            id,
            rooms: SmallVec::new(),
            known: false,
            transport,
            outbox: Outbox::behind(accept),
            phase: Phase::Verdict { deadline: now + options.auth_timeout },
            user: None,
            inbound: Inbound::of(behind),
            rare: None,
            rate: Rate::default(),
            heard: now,
            pinged: false,
            permit,
        }
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// The client as the bot knows it; none before it was let in.
    pub fn client(&self) -> Option<Client> {
        Some(Client { id: self.id, user: self.user.clone()?, remote: self.permit.address() })
    }

    /// Where its bytes go.
    pub fn transport(&mut self) -> &mut Transport {
        &mut self.transport
    }

    /// Who the client was found to be.
    pub fn user(&self) -> Option<&Arc<str>> {
        self.user.as_ref()
    }

    /// Whether the verdict on who this is has yet to come.
    pub fn awaits_verdict(&self) -> bool {
        matches!(self.phase, Phase::Verdict { .. })
    }

    /// Lets the client in.
    pub fn welcome(&mut self, user: Arc<str>, expires_at: Option<SystemTime>, known: bool) {
        let now = Instant::now();
        self.outbox.push_answer(message::connection_established(&user, SystemTime::now()));
        self.user = Some(user);
        self.known |= known;
        if let Some(at) = expires_at {
            self.rare().expires = Some(now + clock::remaining(at));
        }
        self.phase = Phase::Open;
        self.heard = now;
    }

    /// Goes no further in what the client says until [`go_on`](Self::go_on).
    pub fn wait(&mut self) {
        self.rare().waits = true;
    }

    /// Ends the waiting. False where nothing is to be done any more for who has waited.
    pub fn go_on(&mut self) -> bool {
        let waited = self.rare.as_mut().is_some_and(|rare| std::mem::take(&mut rare.waits));
        waited && matches!(self.phase, Phase::Open)
    }

    /// Queues an answer to one of the client's messages.
    pub fn answer(&mut self, frame: Bytes) {
        self.outbox.push_answer(frame);
    }

    /// Queues an update that is not part of a fan-out. What the socket takes is no backlog, so before anything gives way
    /// the socket is offered what waits: a client that reads gets all that it is owed.
    pub fn push_update(
        &mut self,
        update: Arc<Update>,
        cx: &mut Context<'_>,
        scratch: &mut Scratch,
        shared: &Shared,
    ) {
        if !matches!(self.phase, Phase::Open) {
            return;
        }
        if self.backlog() + update.frame.len() > shared.options.max_buffered_bytes {
            // An error comes again where the session is polled, and is seen to there.
            let _ = self.poll_flush(cx, scratch, shared);
        }
        self.outbox.push_update(update);
        self.bound_backlog(shared);
    }

    /// Gives the client updates that reached the shard together: `merged` is all their frames in a row. Written at
    /// once where nothing waits before them. True where the shard has to poll the session.
    pub fn offer(
        &mut self,
        updates: &[Arc<Update>],
        merged: &[u8],
        cx: &mut Context<'_>,
        shared: &Shared,
    ) -> bool {
        if !matches!(self.phase, Phase::Open) {
            return false;
        }
        if !self.outbox.is_empty() {
            updates.iter().for_each(|update| self.outbox.push_update(update.clone()));
            self.bound_backlog(shared);
            return self.rare.as_ref().is_some_and(|rare| rare.slow.is_some() && !rare.slow_told);
        }
        match self.transport.poll_write(cx, merged) {
            Poll::Ready(Ok(written)) => {
                metrics::add(&shared.counters.sent_bytes, written as u64);
                if written == merged.len() {
                    return false;
                }
                self.outbox.push_rest(updates, written);
            }
            // The error comes again where the session is polled, and is seen to there.
            Poll::Ready(Err(_)) | Poll::Pending => self.outbox.push_rest(updates, 0),
        }
        self.bound_backlog(shared);
        true
    }

    /// Leaving a room discards what is queued of it.
    pub fn discard(&mut self, room: &Room) {
        self.outbox.discard(room.key);
    }

    /// Bytes that wait for the client.
    pub fn backlog(&self) -> usize {
        self.outbox.bytes() + self.transport.unsent()
    }

    fn bound_backlog(&mut self, shared: &Shared) {
        if self.backlog() <= shared.options.max_buffered_bytes {
            return;
        }
        let dropped = self.outbox.conflate();
        if dropped > 0 {
            metrics::add(&shared.counters.conflated, dropped as u64);
            self.rare().slow.get_or_insert_with(Instant::now);
        }
    }

    /// Goes on with whatever can go on, for at most `budget` steps: a client that sends without end is one of many.
    /// After an effect it has to be polled again before any other session, since what it has read and not decoded
    /// lies in `scratch`.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut Scratch,
        budget: &mut u32,
        shared: &Shared,
    ) -> Poll<Effect> {
        loop {
            if let Some(effect) = self.on_time(shared) {
                return Poll::Ready(effect);
            }
            let spent = *budget == 0;
            if !spent {
                *budget -= 1;
                match self.advance(cx, scratch, shared) {
                    Step::Effect(effect) => return Poll::Ready(effect),
                    Step::Again => continue,
                    Step::Wait => {}
                }
            }
            // Answers to messages that came together leave together, so writing is the last thing.
            let stuck = !self.may_read(shared);
            if let Poll::Ready(Err(_)) = self.poll_flush(cx, scratch, shared) {
                return Poll::Ready(Effect::Ended(self.outcome(close::ABNORMAL)));
            }
            if let Some(rare) = self.rare.as_mut().filter(|rare| rare.slow.is_some())
                && !std::mem::replace(&mut rare.slow_told, true)
            {
                return Poll::Ready(Effect::Slow);
            }
            let written = self.outbox.is_empty() && matches!(self.phase, Phase::Ending(_));
            let may_go_on = written || stuck && self.may_read(shared);
            if spent || !may_go_on {
                self.stash(scratch);
                return if spent { Poll::Ready(Effect::Yield) } else { Poll::Pending };
            }
        }
    }

    fn advance(&mut self, cx: &mut Context<'_>, scratch: &mut Scratch, shared: &Shared) -> Step {
        match self.phase {
            Phase::Verdict { .. } => self.watch_for_end(cx),
            Phase::Open => self.advance_open(cx, scratch, shared),
            Phase::Closing(_) => self.await_close(cx, scratch, shared),
            Phase::Ending(_) => self.finish_writing(),
            Phase::Lingering(_) => self.linger(cx, scratch),
        }
    }

    /// While the verdict is awaited nothing is read, so that what the client sends stays with the kernel; only the
    /// client's going is looked for.
    fn watch_for_end(&mut self, cx: &mut Context<'_>) -> Step {
        match self.transport.poll_peek(cx) {
            Poll::Ready(Ok(false) | Err(_)) if self.inbound.is_none() => {
                Step::Effect(Effect::Ended(CloseReason::new(close::ABNORMAL, "")))
            }
            _ => Step::Wait,
        }
    }

    fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut Scratch,
        shared: &Shared,
    ) -> Poll<std::io::Result<()>> {
        let before = self.backlog();
        let Self { outbox, transport, .. } = self;
        let flushed = outbox.poll_flush(&mut scratch.merged, |bytes| {
            let written = transport.poll_write(cx, bytes);
            if let Poll::Ready(Ok(count)) = written {
                metrics::add(&shared.counters.sent_bytes, count as u64);
            }
            written
        });
        let backlog = self.backlog();
        if backlog > 0 {
            if backlog < before && !self.may_read(shared) {
                // Nothing is read from a client that leaves its answers lying: that it takes some is its sign of life.
                (self.heard, self.pinged) = (Instant::now(), false);
            }
        } else if let Some(rare) = &mut self.rare {
            (rare.slow, rare.slow_told) = (None, false);
        }
        flushed
    }

    /// The backlog was conflated and has not been empty since.
    pub fn is_slow(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.slow.is_some())
    }
}

/// How a session goes on after one step.
enum Step {
    Effect(Effect),
    Again,
    Wait,
}
