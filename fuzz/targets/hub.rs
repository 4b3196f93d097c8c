//! Anything that can be asked of a hub, in any order and with any interleaving of its shards: every client's stream is
//! held against the rules of the protocol, and what is kept for clients that do not read against its bounds.

#![no_main]

use std::collections::HashMap;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use roomcast::close;
use roomcast::hub::Stats;
use roomcast::notice::Notice;
use roomcast::room_id::RoomId;
use roomcast::session::JoinVerdict;
use roomcast_fuzz::client::WINDOW;
use roomcast_fuzz::frames::{self, TEXT, frame};
use roomcast_fuzz::scene::{LOOK, Scene};
use roomcast_fuzz::stage;
use roomcast_fuzz::step::{Bot, Play, Resume, Setup, Step};
use roomcast_fuzz::truth::Truth;
use roomcast_fuzz::witness::{Ask, Rules, Seen, Witness};
use serde_json::json;

/// Clients that may be there in the course of one run.
const CLIENTS: usize = 8;
/// More than the longest answer.
const ANSWER: usize = 1_000;
/// Joins that may be under way with the bot, and a message behind them: each may be answered though much waits already.
const ANSWERS: usize = 40;
/// Longer than any of the hub's deadlines.
const PATIENCE: Duration = Duration::from_secs(15);

fuzz_target!(|play: Play| stage::play(run(play)));

async fn run(play: Play) {
    let mut run = Run::open(play.setup);
    for step in play.steps {
        run.step(step).await;
        if play.setup.eager {
            run.scene.settle();
        }
        run.look();
    }
    run.calm_down().await;
    run.shut_down().await;
}

struct Run {
    setup: Setup,
    scene: Scene,
    truth: Truth,
    witnesses: Vec<Witness>,
    /// The users' names, by client.
    users: Vec<String>,
    /// Joins that the bot was asked about: (connection, question).
    questions: Vec<(u64, u64)>,
    /// What anyone last saw of a room, over all connections of a user.
    seen: HashMap<(String, RoomId), Seen>,
    /// Bytes that the hub may have had for one client since everybody had everything.
    offered: usize,
    /// Time that has passed in all.
    passed: Duration,
    /// Close codes that the bot has given reason for.
    closes: Vec<u16>,
}

impl Run {
    fn open(setup: Setup) -> Self {
        Self {
            setup,
            scene: Scene::open(setup.options()),
            truth: Truth::default(),
            witnesses: Vec::new(),
            users: Vec::new(),
            questions: Vec::new(),
            seen: HashMap::new(),
            offered: 0,
            passed: Duration::ZERO,
            closes: Vec::new(),
        }
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Connect { user, polite } => self.connect(user, polite),
            Step::Turn { shard } => self.scene.turn(shard % self.setup.threads),
            Step::Settle => self.scene.settle(),
            Step::Rest => self.rest().await,
            Step::Pass { time } => {
                self.passed += time;
                self.scene.pass(time).await;
            }
            Step::Update { room, kind, padding, times } => {
                for _ in 0..times {
                    self.update(&room, kind, padding);
                }
            }
            Step::Forget { room } => self.truth.forget(&self.scene.stage.hub, &room),
            Step::Answer { which, verdict } => self.answer(which, verdict),
            step => self.step_of_client(step),
        }
    }

    fn connect(&mut self, user: u8, polite: bool) {
        if self.witnesses.len() == CLIENTS {
            return;
        }
        let user = format!("u{user}");
        let client = self.scene.connect(frames::head(&user), Default::default(), None);
        self.scene.clients[client].polite = polite;
        let rules = Rules {
            history: self.setup.history as u64,
            rooms: self.setup.max_rooms,
            clients: CLIENTS as u64,
        };
        self.witnesses.push(Witness::new(user.clone(), rules));
        self.users.push(user);
    }

    fn update(&mut self, room: &RoomId, kind: u8, padding: usize) {
        let bytes = self.truth.broadcast(&self.scene.stage.hub, room, kind, padding);
        self.offer(bytes);
    }

    /// So many bytes may be on their way to everybody.
    fn offer(&mut self, bytes: usize) {
        self.offered += bytes;
        if self.offered > self.setup.max_buffered_bytes {
            self.witnesses.iter_mut().for_each(|witness| witness.lossy = true);
        }
    }

    fn answer(&mut self, which: usize, verdict: u8) {
        if self.questions.is_empty() {
            return;
        }
        let (id, ask) = self.questions.remove(which % self.questions.len());
        let verdict = match verdict & 3 {
            0 | 1 => JoinVerdict::Granted,
            2 => JoinVerdict::Denied,
            _ => JoinVerdict::Failed,
        };
        self.scene.stage.hub.join_verdict(id, ask, verdict);
    }

    fn step_of_client(&mut self, step: Step) {
        if self.witnesses.is_empty() {
            return;
        }
        let there = self.witnesses.len();
        let place = move |client: usize| client % there;
        match step {
            Step::Join { client, room, resume } => self.join(place(client), room, resume),
            Step::Leave { client, room } => {
                let message = json!({ "action": "LEAVE_ROOM", "roomId": json_of(&room) });
                self.ask(place(client), Ask::Leave(room), &message);
            }
            Step::Status { client, room } => {
                let message = json!({ "action": "GET_ROOM_STATUS", "roomId": json_of(&room) });
                self.ask(place(client), Ask::Status(room), &message);
            }
            Step::Ping { client } => {
                self.ask(place(client), Ask::Ping, &json!({ "action": "PING" }));
            }
            Step::Nonsense { client } => {
                self.ask(place(client), Ask::Nonsense, &json!({ "action": "DANCE" }));
            }
            Step::Stall { client } => {
                let client = place(client);
                self.scene.clients[client].stall();
                self.witnesses[client].lossy = true;
            }
            Step::Take { client, bytes } => self.scene.take(place(client), bytes),
            Step::Release { client } => self.release(place(client)),
            Step::Goodbye { client } => self.scene.clients[place(client)].say_goodbye(1000),
            Step::End { client } => self.scene.clients[place(client)].end(),
            Step::Vanish { client } => self.scene.clients[place(client)].vanish(),
            Step::Bot { client, room, what } => self.intervene(place(client), &room, what),
            _ => {}
        }
    }

    fn join(&mut self, client: usize, room: RoomId, resume: Resume) {
        let user = self.users[client].clone();
        let seen = self.seen.get(&(user, room.clone())).cloned().unwrap_or_default();
        let half = matches!(resume, Resume::Half);
        let resume = match resume {
            Resume::No | Resume::Half => None,
            Resume::Back(by) => Some((seen.seq.saturating_sub(by), seen.epoch)),
            Resume::Beyond => Some((seen.seq + 1_000_000, seen.epoch)),
            Resume::Elsewhere => Some((seen.seq, "elsewhere".to_owned())),
        };
        let mut message = json!({ "action": "JOIN_ROOM", "roomId": json_of(&room), "userId": "9" });
        if let Some((seq, epoch)) = &resume {
            (message["lastSeq"], message["epoch"]) = (json!(seq), json!(epoch));
            self.offer(self.setup.history * self.truth.longest);
        } else if half {
            message["lastSeq"] = json!(seen.seq);
        }
        self.ask(client, Ask::Join(room, resume), &message);
    }

    fn ask(&mut self, client: usize, ask: Ask, message: &serde_json::Value) {
        if !self.scene.clients[client].leaving && self.witnesses[client].closed.is_none() {
            self.offer(ANSWER);
            self.witnesses[client].asked.push_back(ask);
            self.scene.clients[client].send(frame(TEXT, message.to_string().as_bytes()));
        }
    }

    fn release(&mut self, client: usize) {
        self.scene.clients[client].stalled = false;
        self.scene.take(client, usize::MAX);
    }

    fn intervene(&mut self, client: usize, room: &RoomId, what: Bot) {
        let hub = &self.scene.stage.hub;
        let user = &self.users[client];
        match what {
            Bot::CloseRoom => {
                self.closes.push(close::ROOM_CLOSED.code);
                hub.disconnect_room(room);
            }
            Bot::CloseUser => {
                self.closes.push(close::DISCONNECTED.code);
                hub.disconnect_user(user, &close::DISCONNECTED);
            }
            Bot::CloseClient => {
                self.closes.push(4000);
                let reason = close::CloseReason::new(4000, "for a reason of its own");
                hub.close_client(self.scene.clients[client].id, reason);
            }
            Bot::Remove => {
                hub.remove_from_room(user, room);
                let witnesses = self.users.iter().zip(&mut self.witnesses);
                for (_, witness) in witnesses.filter(|(other, _)| *other == user) {
                    *witness.removed.entry(room.clone()).or_default() += 1;
                }
            }
        }
    }

    /// Takes note of all that was said, and looks at the bounds.
    fn look(&mut self) {
        self.scene.deliver();
        let stats = self.scene.stage.hub.stats();
        let conflated = stats.conflated > 0;
        for (client, said) in std::mem::take(&mut self.scene.said) {
            let witness = &mut self.witnesses[client];
            witness.hear(&said, &mut self.truth, conflated);
            if let Some(code) = witness.closed {
                self.check_close(client, code);
            }
            let user = &self.users[client];
            for (room, seen) in self.witnesses[client].seen.drain() {
                self.seen.insert((user.clone(), room), seen);
            }
        }
        for notice in std::mem::take(&mut self.scene.news) {
            match notice {
                Notice::AuthorizeJoin { ask, client, .. } => self.questions.push((client.id, ask)),
                Notice::Abandon { id, ask, .. } => {
                    self.questions.retain(|question| Some(question.1) != ask || question.0 != id);
                }
                _ => {}
            }
        }
        self.check_bounds(&stats);
    }

    fn check_close(&self, client: usize, code: u16) {
        let own = self.scene.clients[client].leaving;
        let slow = code == close::SLOW_CONSUMER.code && self.passed >= Duration::from_secs(10);
        assert!(own || slow || self.closes.contains(&code), "closed with {code} for no reason");
    }

    fn check_bounds(&self, stats: &Stats) {
        let rooms = self.setup.max_rooms.min(5);
        let bound = self.setup.max_buffered_bytes
            + WINDOW
            + (2 * rooms + 1) * self.truth.longest
            + ANSWERS * ANSWER;
        for (shard, (_, backlog)) in stats.threads.iter().enumerate() {
            let on_shard = |id: u64| id as usize % self.setup.threads == shard;
            let clients = self.scene.clients.iter().filter(|client| on_shard(client.id));
            let bound = clients.count() * bound;
            assert!(*backlog <= bound as u64, "{backlog} bytes wait, {bound} may");
        }
        for (client, witness) in self.scene.clients.iter().zip(&self.witnesses) {
            // A Close frame may lie unread until there is no more waiting for its answer.
            let unread = client.has_stalled && !self.closes.is_empty();
            let told = client.leaving || witness.closed.is_some() || unread;
            let reason = told || self.passed >= PATIENCE;
            assert!(!client.destroyed || reason, "a connection was dropped for no reason");
        }
    }

    /// Lets all come to rest, and looks whether those who read have all that is theirs.
    async fn rest(&mut self) {
        self.passed += 2 * LOOK;
        self.scene.rest().await;
        self.look();
        let mut all_calm = true;
        for (client, witness) in self.scene.clients.iter().zip(&mut self.witnesses) {
            if client.destroyed {
                continue;
            }
            let calm = !client.stalled && !client.leaving && witness.closed.is_none();
            all_calm &= calm;
            if !calm {
                continue;
            }
            if let Some(ask) = witness.asked.front() {
                let asked = matches!(ask, Ask::Join(..)) && self.setup.authorize_join;
                assert!(asked, "{ask:?} was never answered");
                all_calm = false;
            } else {
                witness.check_newest(&self.truth);
                witness.lossy = false;
            }
        }
        if all_calm {
            self.offered = 0;
            self.check_members();
        }
    }

    /// The hub's figures, when every client has been told what it is in.
    fn check_members(&self) {
        let clients = self.scene.clients.iter().zip(&self.witnesses).zip(&self.users);
        let there = clients.filter(|((client, _), _)| !client.destroyed).collect::<Vec<_>>();
        let hub = &self.scene.stage.hub;
        let (mut memberships, mut users) = (0, Vec::new());
        for number in [0, 3, 5, 6, 7] {
            let room = roomcast_fuzz::step::room(number);
            let members = there.iter().filter(|((_, witness), _)| witness.is_in(&room));
            users.extend(members.clone().map(|(_, user)| *user));
            assert_eq!(hub.client_count(&room), members.clone().count() as u64);
            memberships += members.count() as u64;
        }
        users.sort_unstable();
        users.dedup();
        let stats = hub.stats();
        assert_eq!(stats.memberships, memberships);
        assert_eq!(stats.users, users.len() as u64);
        assert_eq!(stats.connections, there.len() as u64);
        let backlog: u64 = stats.threads.iter().map(|(_, backlog)| backlog).sum();
        assert_eq!((backlog, stats.slow), (0, 0), "everybody has everything");
    }

    /// Everybody reads again, and the bot answers all that it was asked.
    async fn calm_down(&mut self) {
        for client in 0..self.scene.clients.len() {
            self.release(client);
        }
        loop {
            self.rest().await;
            if self.questions.is_empty() {
                break;
            }
            while !self.questions.is_empty() {
                self.answer(0, 0);
            }
        }
    }

    /// The hub closes: everybody is told, and nothing is left.
    async fn shut_down(&mut self) {
        self.closes.push(close::SERVER_SHUTTING_DOWN.code);
        self.scene.stage.hub.close(Duration::from_secs(3), Duration::from_millis(20));
        for _ in 0..10 {
            self.scene.pass(Duration::from_millis(400)).await;
            self.look();
        }
        assert!(self.scene.stage.is_over(), "a shard goes on after the drain");
        assert!(self.scene.clients.iter().all(|client| client.destroyed), "a connection is left");
        let stats = self.scene.stage.hub.stats();
        assert_eq!((stats.connections, stats.memberships, stats.users, stats.slow), (0, 0, 0, 0));
        assert!(stats.threads.iter().all(|thread| *thread == (0, 0)), "{stats:?}");
    }
}

fn json_of(room: &RoomId) -> serde_json::Value {
    match room {
        // As a string it is the same room.
        RoomId::Number(number) if number % 2 == 0 => json!(number.to_string()),
        RoomId::Number(number) => json!(number),
        RoomId::Name(name) => json!(&**name),
    }
}
