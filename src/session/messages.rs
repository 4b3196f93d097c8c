//! What the client asks for.

use std::task::{Context, Poll};
use std::time::SystemTime;

use bytes::Bytes;
use tokio::time::Instant;

use super::closing::Phase;
use super::questions::JoinVerdict;
use super::stream::Read;
use super::{Effect, Scratch, Session, Step};
use crate::close;
use crate::codec::Incoming;
use crate::frame;
use crate::message::{self, ErrorAnswer, Rejection, Request};
use crate::metrics::{Hook, Limit};
use crate::rate::Pace;
use crate::shared::Shared;

impl Session {
    /// Lets the client in as nobody, without a word. What its messages ask is then for the caller to say, to whom they
    /// go as [`Effect::Message`]: so that another protocol than that of the rooms can be served, as `examples/echo.rs`
    /// does.
    pub fn open(&mut self) {
        self.phase = Phase::Open;
    }

    /// Whether more is to be read: not while a message has to wait behind a join, and not while the client leaves its
    /// answers lying, since those are never dropped.
    pub(super) fn may_read(&self, shared: &Shared) -> bool {
        self.backlog() <= shared.options.max_buffered_bytes
            && self.rare.as_ref().is_none_or(|rare| !rare.waits && rare.questions.takes_more())
    }

    pub(super) fn advance_open(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut Scratch,
        shared: &Shared,
    ) -> Step {
        if self.rare.as_ref().is_some_and(|rare| rare.waits) {
            return Step::Wait;
        }
        if let Some(step) = self.settle_questions(shared) {
            return step;
        }
        if !self.may_read(shared) {
            return Step::Wait;
        }
        match self.poll_incoming(cx, scratch, shared.options.max_payload) {
            Poll::Pending => Step::Wait,
            Poll::Ready(Read::End) => Step::Effect(Effect::Ended(self.vanished())),
            Poll::Ready(Read::Violation(reason)) => {
                if reason == close::MESSAGE_TOO_LARGE {
                    shared.counters.limited(Limit::Payload);
                }
                self.refuse(reason, shared);
                Step::Again
            }
            Poll::Ready(Read::Incoming(Incoming::Close(reason))) => {
                self.echo_close(reason);
                Step::Again
            }
            Poll::Ready(Read::Incoming(incoming)) => self.take(incoming, shared),
        }
    }

    fn take(&mut self, incoming: Incoming, shared: &Shared) -> Step {
        let (rate, burst) = (shared.options.message_rate, shared.options.message_burst);
        match self.rate.take(Instant::now(), rate, burst) {
            Pace::Fine => {}
            Pace::Over { answer } => {
                shared.counters.limited(Limit::Rate);
                if let (true, Incoming::Message(_, bytes)) = (answer, &incoming) {
                    let (action, room) = message::peek(bytes);
                    let limit =
                        ErrorAnswer::RateLimit { action: action.as_deref(), room: room.as_ref() };
                    self.answer(message::error(&limit));
                }
                return Step::Again;
            }
            Pace::Flood => {
                shared.counters.limited(Limit::Flood);
                self.start_close(close::RATE_LIMIT_EXCEEDED, shared);
                return Step::Again;
            }
        }
        match incoming {
            Incoming::Message(kind, bytes) if self.user.is_none() => {
                Step::Effect(Effect::Message(kind, bytes))
            }
            Incoming::Message(_, bytes) => self.take_message(&bytes, shared),
            Incoming::Ping(payload) => {
                self.outbox.push_pong(frame::pong(&payload));
                Step::Again
            }
            Incoming::Pong | Incoming::Fragment | Incoming::Close(_) => Step::Again,
        }
    }

    fn take_message(&mut self, bytes: &Bytes, shared: &Shared) -> Step {
        let request = message::parse(bytes);
        shared.counters.received(request.as_ref().map_or("invalid", Request::action));
        match &mut self.rare {
            Some(rare)
                if rare.questions.is_waiting() && !matches!(request, Ok(Request::Join { .. })) =>
            {
                rare.questions.held = Some(request);
                Step::Wait
            }
            _ => self.carry_out(request, shared),
        }
    }

    fn carry_out(&mut self, request: Result<Request, Rejection>, shared: &Shared) -> Step {
        match request {
            Ok(Request::Ping) => self.answer(message::pong(SystemTime::now())),
            Ok(Request::Leave { room }) => return Step::Effect(Effect::Leave(room)),
            Ok(Request::Status { room }) => return Step::Effect(Effect::Status(room)),
            Ok(Request::Join { room, resume }) if !shared.options.authorize_join => {
                return Step::Effect(Effect::Join(room, resume));
            }
            Ok(Request::Join { room, resume }) => {
                let deadline = Instant::now() + shared.options.auth_timeout;
                let ask = self.rare().questions.ask(room.clone(), resume, deadline);
                return Step::Effect(Effect::AskJoin { ask, room });
            }
            Err(rejection) => self.answer(message::error(&rejection.answer())),
        }
        Step::Again
    }

    /// Answers the joins that the bot has been heard on, in their order, and then what waited behind them.
    fn settle_questions(&mut self, shared: &Shared) -> Option<Step> {
        let questions = &mut self.rare.as_mut()?.questions;
        if let Some(question) = questions.pop() {
            return Some(match question.verdict {
                Some(JoinVerdict::Granted) => {
                    Step::Effect(Effect::Join(question.room, question.resume))
                }
                Some(JoinVerdict::Denied) => Step::Effect(Effect::Denied(question.room)),
                Some(JoinVerdict::Failed) | None => {
                    shared.counters.hook_failed(Hook::AuthorizeJoin);
                    self.answer(message::error(&ErrorAnswer::UnableToVerify(&question.room)));
                    Step::Again
                }
            });
        }
        if questions.is_waiting() {
            return None;
        }
        let held = questions.held.take()?;
        Some(self.carry_out(held, shared))
    }

    /// The bot's word on a join.
    pub fn join_verdict(&mut self, ask: u64, verdict: JoinVerdict) {
        if let Some(rare) = &mut self.rare {
            rare.questions.answer(ask, verdict);
        }
    }

    /// The questions that are open when the session ends.
    pub fn open_questions(&mut self) -> Vec<u64> {
        self.rare.as_mut().map(|rare| rare.questions.take_open()).unwrap_or_default()
    }
}
