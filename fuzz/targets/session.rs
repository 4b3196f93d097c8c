//! Any bytes from a client after a valid upgrade, cut anywhere: no panic, an answer in well-formed frames with one Close
//! at the most, the same answer however the bytes are cut, and bounded memory.

#![no_main]

use std::time::Duration;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use roomcast::close;
use roomcast::notice::Notice;
use roomcast::options::Options;
use roomcast::room_id::RoomId;
use roomcast::session::{JoinVerdict, Verdict};
use roomcast::update::{Counts, Update};
use roomcast_fuzz::frames;
use roomcast_fuzz::memory::{Counting, peak_of};
use roomcast_fuzz::scene::Scene;
use roomcast_fuzz::stage;
use roomcast_fuzz::wire::Said;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a hub with one client takes, the target's own records included, and what each byte from the client may add:
/// an empty message of 6 bytes is answered by an error of 60, which is written down as JSON here.
const MEMORY: usize = 256 * 1024;
const MEMORY_PER_BYTE: usize = 256;

const MAX_PAYLOAD: [usize; 2] = [65_536, 300];
const MAX_BUFFERED: [usize; 2] = [65_536, 1_000];

/// The hub's options, and what happens besides the bytes: a bit each.
mod how {
    pub(super) const VERDICT_COMES_LATE: u8 = 1;
    pub(super) const BEHIND_THE_REQUEST: u8 = 2;
    pub(super) const BOT_IS_ASKED: u8 = 4;
    pub(super) const SMALL_LIMITS: u8 = 8;
    pub(super) const LOW_RATE: u8 = 16;
    pub(super) const STALLED: u8 = 32;
    pub(super) const UPDATES: u8 = 64;
    pub(super) const TIME_PASSES: u8 = 128;
    /// With these, what is answered depends on more than the bytes.
    pub(super) const IN_PLAY: u8 = BOT_IS_ASKED | LOW_RATE | STALLED | UPDATES | TIME_PASSES;
}

// What the first scene sets up for all of them is not to be counted.
fuzz_target!(init: stage::play(async {}), |input: &[u8]| {
    let Some(plan) = Plan::read(input) else { return };
    let mut cut = Vec::new();
    let peak = peak_of(|| stage::play(async { cut = run(&plan, &plan.pieces).await }));
    let bound = MEMORY + MEMORY_PER_BYTE * input.len();
    assert!(peak <= bound, "{peak} bytes of memory for {} bytes of input", input.len());
    if plan.how & how::IN_PLAY == 0 && plan.pieces.len() > 1 {
        let whole = [Bytes::from(plan.pieces.concat())];
        stage::play(async { assert_eq!(run(&plan, &whole).await, cut) });
    }
});

/// The input, taken apart: the first byte says how, the second how it ends and how many lengths of pieces follow. The
/// rest is what the client sends.
struct Plan {
    how: u8,
    end: u8,
    pieces: Vec<Bytes>,
}

impl Plan {
    fn read(input: &[u8]) -> Option<Self> {
        let [how, second, rest @ ..] = input else { return None };
        let (cuts, mut rest) = rest.split_at_checked(usize::from(second & 15))?;
        let mut pieces = Vec::new();
        for cut in cuts {
            let (piece, behind) = rest.split_at(usize::from(*cut).min(rest.len()));
            pieces.push(Bytes::copy_from_slice(piece));
            rest = behind;
        }
        pieces.push(Bytes::copy_from_slice(rest));
        pieces.retain(|piece| !piece.is_empty());
        Some(Self { how: *how, end: second >> 4, pieces })
    }

    fn has(&self, bit: u8) -> bool {
        self.how & bit != 0
    }

    fn options(&self) -> Options {
        let small = usize::from(self.has(how::SMALL_LIMITS));
        let (rate, burst) = if self.has(how::LOW_RATE) { (2.0, 4.0) } else { (1e9, 1e9) };
        Options {
            threads: 1,
            max_payload: MAX_PAYLOAD[small],
            max_buffered_bytes: MAX_BUFFERED[small],
            max_rooms_per_connection: [100, 2][small],
            message_rate: rate,
            message_burst: burst,
            authenticate: true,
            authorize_join: self.has(how::BOT_IS_ASKED),
            ..Options::default()
        }
    }
}

/// Plays one connection from its beginning to its end; returns what the client was told, in so far as that is the same
/// every time.
async fn run(plan: &Plan, pieces: &[Bytes]) -> Vec<Said> {
    let mut scene = Scene::open(plan.options());
    let verdict = Verdict::Accepted { user: "u".to_owned(), expires_at: None, known: false };
    let late = plan.has(how::VERDICT_COMES_LATE).then(|| verdict.clone());
    let mut pieces = pieces.iter().cloned();
    let first = plan.has(how::BEHIND_THE_REQUEST).then(|| pieces.next()).flatten();
    let early = late.is_none().then_some(verdict);
    let client = scene.connect(frames::head("u"), first.unwrap_or_default(), early);
    (scene.clients[client].polite, scene.clients[client].stalled) = (false, plan.has(how::STALLED));
    let mut late = late;
    for piece in pieces {
        scene.clients[client].send(piece);
        come_to_rest(&mut scene, plan).await;
        if let Some(verdict) = late.take() {
            scene.stage.hub.verdict(scene.clients[client].id, verdict);
        }
    }
    if let Some(verdict) = late {
        scene.stage.hub.verdict(scene.clients[client].id, verdict);
    }
    come_to_rest(&mut scene, plan).await;
    let said = end(&mut scene, client, plan).await;
    let stats = scene.stage.hub.stats();
    assert_eq!((stats.connections, stats.memberships, stats.users, stats.slow), (0, 0, 0, 0));
    assert!(stats.threads.iter().all(|thread| *thread == (0, 0)), "{stats:?}");
    assert!(plan.has(how::UPDATES) || stats.rooms == 0, "rooms are left: {stats:?}");
    said
}

async fn come_to_rest(scene: &mut Scene, plan: &Plan) {
    if plan.has(how::UPDATES) {
        for current in 0..4 {
            let counts = Counts { current, max: 3 };
            scene.stage.hub.broadcast(
                &RoomId::Number(1),
                &Update::CountUpdated { counts },
                Some(counts),
            );
        }
    }
    scene.rest().await;
    if plan.has(how::TIME_PASSES) {
        scene.pass(Duration::from_millis(700)).await;
    }
    loop {
        let mut asked = false;
        for notice in std::mem::take(&mut scene.news) {
            if let Notice::AuthorizeJoin { ask, client, .. } = notice {
                let verdicts = [JoinVerdict::Granted, JoinVerdict::Denied, JoinVerdict::Failed];
                scene.stage.hub.join_verdict(client.id, ask, verdicts[(ask % 3) as usize]);
                asked = true;
            }
        }
        if !asked {
            break;
        }
        scene.rest().await;
    }
}

/// Brings the connection to its end, in one of several ways.
async fn end(scene: &mut Scene, client: usize, plan: &Plan) -> Vec<Said> {
    if plan.end & 8 == 0 {
        scene.clients[client].stalled = false;
        scene.take(client, usize::MAX);
        come_to_rest(scene, plan).await;
    }
    match plan.end & 3 {
        0 => scene.clients[client].end(),
        1 => scene.clients[client].vanish(),
        2 => scene.stage.hub.close_client(scene.clients[client].id, close::DISCONNECTED),
        // A client that stays silent is found dead.
        _ => {}
    }
    for _ in 0..12 {
        scene.pass(Duration::from_secs(13)).await;
    }
    assert!(scene.clients[client].destroyed, "the connection is left");
    let same_every_time = |said| match said {
        Said::Message(kind, mut message) => {
            let fields = message.as_object_mut()?;
            fields.remove("timestamp");
            fields.remove("epoch");
            Some(Said::Message(kind, message))
        }
        // Of Pings that come together only the newest is answered.
        Said::Ping | Said::Pong(_) => None,
        Said::Close(_) => Some(said),
    };
    let said = std::mem::take(&mut scene.said);
    said.into_iter().filter_map(|(_, said)| same_every_time(said)).collect()
}
