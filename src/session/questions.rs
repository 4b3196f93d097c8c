//! Joins that wait for the bot's word. They are asked side by side and answered in the order of the messages.

use std::collections::VecDeque;

use tokio::time::Instant;

use crate::message::{Rejection, Request, Resume};
use crate::room_id::RoomId;

/// Joins of one client that may be under way with the bot; past that nothing more is read from it.
const MOST: usize = 32;

/// The bot's verdict on one join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinVerdict {
    /// It may.
    Granted,
    /// It may not.
    Denied,
    /// The hook threw, rejected or timed out.
    Failed,
}

#[derive(Debug)]
pub(super) struct Question {
    ask: u64,
    pub(super) room: RoomId,
    pub(super) resume: Option<Resume>,
    pub(super) verdict: Option<JoinVerdict>,
    deadline: Instant,
}

/// The joins of one connection that the bot has not been heard on, and the message that waits behind them.
#[derive(Debug, Default)]
pub(super) struct Questions {
    /// How many were asked so far: a late answer never meets a later question.
    asked: u64,
    waiting: VecDeque<Question>,
    pub(super) held: Option<Result<Request, Rejection>>,
}

impl Questions {
    pub(super) fn ask(&mut self, room: RoomId, resume: Option<Resume>, deadline: Instant) -> u64 {
        self.asked += 1;
        self.waiting.push_back(Question { ask: self.asked, room, resume, verdict: None, deadline });
        self.asked
    }

    pub(super) fn answer(&mut self, ask: u64, verdict: JoinVerdict) {
        if let Some(question) = self.waiting.iter_mut().find(|question| question.ask == ask) {
            question.verdict.get_or_insert(verdict);
        }
    }

    /// The first question, once it is answered.
    pub(super) fn pop(&mut self) -> Option<Question> {
        self.waiting.front()?.verdict?;
        self.waiting.pop_front()
    }

    /// Whether there is any; what else the client sends has to wait then.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(super) fn takes_more(&self) -> bool {
        self.held.is_none() && self.waiting.len() < MOST
    }

    /// When the first open question times out: they are asked in order, so the others do later.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting
            .iter()
            .find(|question| question.verdict.is_none())
            .map(|question| question.deadline)
    }

    /// Gives up on the first open question whose time is over.
    pub(super) fn time_out(&mut self, now: Instant) -> Option<u64> {
        let open = self.waiting.iter_mut().find(|question| question.verdict.is_none())?;
        if now < open.deadline {
            return None;
        }
        open.verdict = Some(JoinVerdict::Failed);
        Some(open.ask)
    }

    /// Forgets them all; returns those that nobody has answered.
    pub(super) fn take_open(&mut self) -> Vec<u64> {
        self.held = None;
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        waiting.filter(|question| question.verdict.is_none()).map(|question| question.ask).collect()
    }
}
