//! Clients on a stage: what the hub tells of a relayed connection reaches the client at its other end.

use std::time::Duration;

use bytes::Bytes;
use roomcast::handshake::Head;
use roomcast::notice::Notice;
use roomcast::options::Options;
use roomcast::session::Verdict;

use crate::client::Client;
use crate::stage::Stage;
use crate::wire::Said;

/// Longer than a shard rests between two looks at its inbox.
pub const LOOK: Duration = Duration::from_millis(5);

/// A hub and its clients.
pub struct Scene {
    /// The hub.
    pub stage: Stage,
    /// All connections so far, those that are over too.
    pub clients: Vec<Client>,
    /// What clients were told and have taken, until the target takes it from here.
    pub said: Vec<(usize, Said)>,
    /// What the bot's side was told besides, until the target takes it from here.
    pub news: Vec<Notice>,
}

impl Scene {
    /// Opens a hub. To be called within [`play`](crate::stage::play).
    pub fn open(options: Options) -> Self {
        let stage = Stage::open(options);
        Self { stage, clients: Vec::new(), said: Vec::new(), news: Vec::new() }
    }

    /// Hands a connection to the hub; returns its place among the clients.
    pub fn connect(&mut self, head: Head, behind: Bytes, verdict: Option<Verdict>) -> usize {
        let (id, relay) = self.stage.hub.adopt_relayed(head, behind, None, verdict);
        self.clients.push(Client::new(id, relay));
        self.clients.len() - 1
    }

    /// Lets one shard have a turn, where something has woken it.
    pub fn turn(&mut self, shard: usize) {
        self.stage.turn(shard);
        self.deliver();
    }

    /// Lets everything happen that happens without time passing.
    pub fn settle(&mut self) {
        let Self { stage, clients, said, news } = self;
        stage.settle(|stage| deliver(stage, clients, said, news));
    }

    /// Lets everything happen that has been set going, also what a shard will only look for after a short rest.
    pub async fn rest(&mut self) {
        self.settle();
        for _ in 0..2 {
            self.pass(LOOK).await;
        }
    }

    /// Lets time pass, and happen what it brings about.
    pub async fn pass(&mut self, time: Duration) {
        self.stage.pass(time).await;
        self.settle();
    }

    /// Has a client take bytes that were written to it, stalled or not.
    pub fn take(&mut self, client: usize, most: usize) {
        let said = self.clients[client].take(most);
        self.said.extend(said.into_iter().map(|said| (client, said)));
    }

    /// Hands out what the hub has told. False where that was nothing.
    pub fn deliver(&mut self) -> bool {
        deliver(&self.stage, &mut self.clients, &mut self.said, &mut self.news)
    }
}

fn deliver(
    stage: &Stage,
    clients: &mut [Client],
    all: &mut Vec<(usize, Said)>,
    news: &mut Vec<Notice>,
) -> bool {
    let heard = stage.heard();
    let any = !heard.is_empty();
    for notice in heard {
        let (Notice::RelayWrite { id, .. }
        | Notice::RelayEnd { id }
        | Notice::RelayDestroy { id }
        | Notice::RelayResume { id }) = notice
        else {
            news.push(notice);
            continue;
        };
        let place = clients.iter().position(|client| client.id == id);
        let place = place.expect("a connection that the hub writes to is one that it was given");
        clients[place].notice(&notice);
        if !clients[place].stalled {
            let said = clients[place].take(usize::MAX);
            all.extend(said.into_iter().map(|said| (place, said)));
        }
    }
    any
}
