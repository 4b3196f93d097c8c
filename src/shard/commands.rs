//! What other threads want of a shard. A command changes sessions and wakes them; it never polls one.

use std::sync::Arc;

use super::inbox::Taken;
use super::{Command, Connection, Newcomer, Shard, Slot, Socket};
use tokio::time::Instant;

use crate::admission::Permit;
use crate::arrival::Request;
use crate::close::{self, CloseReason};
use crate::handshake::{self, Head, Refusal};
use crate::metrics::{self, Hook};
use crate::notice::{Abandoned, Notice, news};
use crate::room::Room;
use crate::session::{Session, Verdict};
use crate::transport::{self, Transport};

impl Shard {
    /// Carries out all that waits.
    pub(super) fn take_commands(&mut self) {
        let inbox = self.parts.inboxes.of(self.parts.index);
        let Taken { woken, found } = inbox.take(&mut self.commands);
        self.pace.looked(woken, found, Instant::now());
        // One by one: after a panic the shard goes on behind the command that brought it about.
        while let Some(command) = self.commands.pop_front() {
            self.carry_out(command);
        }
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Update(update) => self.local.push(update),
            Command::Adopt(newcomer) => self.adopt(*newcomer),
            Command::Listen(listener) => self.listen(listener),
            Command::Verdict(id, verdict) => {
                if let Some(&key) = self.ids.get(&id) {
                    self.judge(key, verdict);
                }
            }
            Command::JoinVerdict(id, ask, verdict) => {
                self.with_client(id, |session| session.join_verdict(ask, verdict))
            }
            Command::OriginVerdict(id, allowed) => self.judge_origin(id, allowed),
            Command::Join { id, room, resume } => {
                self.resume(id, |shard, key| shard.join(key, &room, resume.as_ref(), true));
            }
            Command::Status { id, room, members } => {
                self.resume(id, |shard, key| shard.tell_status(key, &room, members));
            }
            Command::CloseRoom(room, reason) => {
                for key in self.local.slots(&room) {
                    self.close_slot(key, reason.clone());
                }
            }
            Command::CloseUser(user, reason) => {
                for key in self.slots_of(&user) {
                    self.close_slot(key, reason.clone());
                }
            }
            Command::CloseClient(id, reason) => {
                if let Some(&key) = self.ids.get(&id) {
                    self.close_slot(key, reason);
                }
            }
            Command::RemoveFromRoom(user, room) => self.remove_from_room(&user, &room),
            Command::Drain { grace, spread } => self.start_drain(grace, spread),
            Command::Stop => self.stopped = true,
        }
    }

    fn with_client(&mut self, id: u64, act: impl FnOnce(&mut Session)) {
        let Some(&key) = self.ids.get(&id) else { return };
        self.slots[key].session().map(act);
        self.enlist(key);
    }

    /// Goes on with a session that has waited for other processes.
    fn resume(&mut self, id: u64, act: impl FnOnce(&mut Self, usize)) {
        let Some(&key) = self.ids.get(&id) else { return };
        if self.slots[key].session().is_some_and(Session::go_on) {
            act(self, key);
            self.enlist(key);
            self.settle(key);
        }
    }

    fn slots_of(&self, user: &str) -> Vec<usize> {
        let is_of_user = |connection: &Connection| match connection {
            Connection::Session(session) => session.user().is_some_and(|name| **name == *user),
            Connection::Arrival(_) | Connection::Changing => false,
        };
        self.slots
            .iter()
            .filter(|(_, slot)| is_of_user(&slot.connection))
            .map(|(key, _)| key)
            .collect()
    }

    fn remove_from_room(&mut self, user: &str, room: &Arc<Room>) {
        for key in self.local.slots(room) {
            let session = self.slots.get_mut(key).and_then(Slot::session);
            let name = session.and_then(|session| session.user());
            if name.is_some_and(|name| **name == *user) {
                self.leave_and_tell(key, &room.id);
                self.enlist(key);
            }
        }
    }

    /// Sends a client away, behind all that the bot has sent to it before.
    pub(super) fn close_slot(&mut self, key: usize, reason: CloseReason) {
        self.catch_up(key, u64::MAX);
        let shared = &self.parts.shared;
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        match &mut slot.connection {
            Connection::Session(session) => {
                let unverified = session.awaits_verdict() && shared.options.authenticate;
                session.start_close(reason, shared);
                if unverified {
                    self.abandon(key, None, Abandoned::Gone);
                }
                self.enlist(key);
                self.settle(key);
            }
            // It has not got as far as a Close frame.
            Connection::Arrival(_) | Connection::Changing => self.drop_slot(key),
        }
    }

    fn adopt(&mut self, newcomer: Newcomer) {
        let Newcomer { id, socket, head, behind, permit, verdict } = newcomer;
        let transport = match socket {
            Socket::Relayed(relay) => Transport::Relayed(relay),
            Socket::Owned(socket) => match transport::Socket::from_std(socket) {
                Ok(socket) => Transport::Socket(socket),
                Err(error) => return self.lose(id, &error),
            },
        };
        let request = Request { head, raw_headers: Vec::new(), behind };
        let session = self.session(id, transport, &request, permit);
        let Some(key) = self.insert(id, Connection::Session(Box::new(session))) else { return };
        self.identify(key, &request.head, verdict);
        if self.draining.is_some() {
            self.close_slot(key, close::SERVER_SHUTTING_DOWN);
        }
    }

    /// A session for a request that was checked.
    pub(super) fn session(
        &self,
        id: u64,
        transport: Transport,
        request: &Request,
        permit: Permit,
    ) -> Session {
        let options = &self.parts.shared.options;
        let accept = handshake::accept(request.head.key.as_deref().unwrap_or_default());
        Session::new(id, transport, accept.into(), request.behind.clone(), permit, options)
    }

    /// Counts a session that has its slot, and applies the verdict where there is one already; without a hook it is the
    /// query's `userId`.
    pub(super) fn identify(&mut self, key: usize, head: &Head, verdict: Option<Verdict>) {
        metrics::add(&self.parts.shared.counters.connections, 1);
        metrics::add(&self.parts.gauges.connections, 1);
        let by_query = || match handshake::user_id_from_query(&head.url) {
            Some(user) => Verdict::Accepted { user, expires_at: None, known: false },
            None => Verdict::Denied(close::MISSING_USER_ID),
        };
        let verdict = verdict.or_else(|| (!self.parts.shared.options.authenticate).then(by_query));
        if let Some(verdict) = verdict {
            self.judge(key, verdict);
        }
        self.enlist(key);
    }

    /// Lets a client in, or sends it away. A verdict that comes late or twice means nothing.
    fn judge(&mut self, key: usize, verdict: Verdict) {
        let Some(session) = self
            .slots
            .get_mut(key)
            .and_then(|slot| slot.session())
            .filter(|session| session.awaits_verdict())
        else {
            return;
        };
        let shared = &self.parts.shared;
        match verdict {
            Verdict::Accepted { user, expires_at, known } => {
                session.welcome(self.parts.users.connect(&user), expires_at, known);
                self.tell_of(key, news::CONNECTION, Notice::Connection);
            }
            Verdict::Denied(reason) => session.start_close(reason, shared),
            Verdict::Failed => {
                shared.counters.hook_failed(Hook::Authenticate);
                session.start_close(close::TRY_AGAIN_LATER, shared);
            }
        }
        self.enlist(key);
    }

    fn judge_origin(&mut self, id: u64, allowed: bool) {
        let Some(&key) = self.ids.get(&id) else {
            return;
        };
        let Some(Connection::Arrival(arrival)) =
            self.slots.get_mut(key).map(|slot| &mut slot.connection)
        else {
            return;
        };
        let Some(request) = arrival.asked.take() else {
            return;
        };
        if allowed {
            self.become_session(key, *request);
        } else {
            self.turn_away(key, Refusal::Forbidden);
        }
    }
}
