//! What can happen to a hub, as read from a fuzzer's bytes: one or two bytes a step, so that what a byte changes stays
//! near.

use std::time::Duration;

use arbitrary::{Arbitrary, Result, Unstructured};
use roomcast::options::Options;
use roomcast::room_id::RoomId;

/// Steps of one run at the most.
const STEPS: usize = 120;

/// A whole run.
#[derive(Debug)]
pub struct Play {
    /// How the hub is set up.
    pub setup: Setup,
    /// What happens, one after the other.
    pub steps: Vec<Step>,
}

impl<'a> Arbitrary<'a> for Play {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let setup = bytes.arbitrary()?;
        let mut steps = Vec::new();
        while !bytes.is_empty() && steps.len() < STEPS {
            steps.push(bytes.arbitrary()?);
        }
        Ok(Self { setup, steps })
    }
}

/// How the hub is set up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Shards.
    pub threads: usize,
    /// Updates held per room.
    pub history: usize,
    /// Backlog past which it is conflated.
    pub max_buffered_bytes: usize,
    /// Rooms that one client may be in.
    pub max_rooms: usize,
    /// The bot is asked who may join.
    pub authorize_join: bool,
    /// Everything comes to rest after each step.
    pub eager: bool,
}

impl<'a> Arbitrary<'a> for Setup {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let [first, second]: [u8; 2] = bytes.arbitrary()?;
        Ok(Self {
            threads: 1 + usize::from(first & 3) % 3,
            history: [64, 0, 1, 3][usize::from(first >> 2 & 3)],
            max_buffered_bytes: [512, 4_096, 16_384, 65_536][usize::from(first >> 4 & 3)],
            max_rooms: [100, 2][usize::from(first >> 6 & 1)],
            authorize_join: second & 1 != 0,
            eager: second & 2 != 0,
        })
    }
}

impl Setup {
    /// The hub's options.
    pub fn options(&self) -> Options {
        Options {
            threads: self.threads,
            history: self.history,
            max_buffered_bytes: self.max_buffered_bytes,
            max_rooms_per_connection: self.max_rooms,
            authorize_join: self.authorize_join,
            // Clients here may ask as much as they like, and no room is forgotten by itself.
            message_rate: 1e9,
            message_burst: 1e9,
            room_ttl: Duration::from_secs(1_000_000_000),
            ..Options::default()
        }
    }
}

/// What a client that joins says it saw last.
#[derive(Clone, Copy, Debug)]
pub enum Resume {
    /// Nothing.
    No,
    /// Just that, so many updates ago.
    Back(u64),
    /// More than there is.
    Beyond,
    /// An epoch that there never was.
    Elsewhere,
    /// A number without an epoch.
    Half,
}

/// What the bot does with clients.
#[derive(Clone, Copy, Debug)]
pub enum Bot {
    /// `disconnectRoom`
    CloseRoom,
    /// `disconnectUser`
    CloseUser,
    /// `client.close()`
    CloseClient,
    /// `removeFromRoom`
    Remove,
}

/// One step. Clients are told by any number, of which the remainder counts.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "each says what it is")]
pub enum Step {
    Connect {
        user: u8,
        polite: bool,
    },
    Join {
        client: usize,
        room: RoomId,
        resume: Resume,
    },
    Leave {
        client: usize,
        room: RoomId,
    },
    Status {
        client: usize,
        room: RoomId,
    },
    Ping {
        client: usize,
    },
    Nonsense {
        client: usize,
    },
    Update {
        room: RoomId,
        kind: u8,
        padding: usize,
        times: u8,
    },
    Stall {
        client: usize,
    },
    Take {
        client: usize,
        bytes: usize,
    },
    Release {
        client: usize,
    },
    Goodbye {
        client: usize,
    },
    End {
        client: usize,
    },
    Vanish {
        client: usize,
    },
    Forget {
        room: RoomId,
    },
    Bot {
        client: usize,
        room: RoomId,
        what: Bot,
    },
    /// The bot's word on one of the joins that it was asked about.
    Answer {
        which: usize,
        verdict: u8,
    },
    Turn {
        shard: usize,
    },
    Settle,
    Rest,
    Pass {
        time: Duration,
    },
}

/// One of five rooms.
pub fn room(number: u8) -> RoomId {
    match number & 7 {
        0..=2 => RoomId::Number(1),
        3 | 4 => RoomId::Number(2),
        5 => RoomId::Name("lobby".into()),
        6 => RoomId::Name("\"€\\".into()),
        _ => RoomId::Number((1 << 53) - 1),
    }
}

fn resume(number: u8) -> Resume {
    match number & 7 {
        0 => Resume::No,
        number @ 1..=3 => Resume::Back(u64::from(number) - 1),
        4 => Resume::Back(6),
        5 => Resume::Beyond,
        6 => Resume::Elsewhere,
        _ => Resume::Half,
    }
}

impl<'a> Arbitrary<'a> for Step {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let first: u8 = bytes.arbitrary()?;
        let client = usize::from(first >> 5);
        let mut more = || bytes.arbitrary::<u8>();
        Ok(match first & 31 {
            0 => {
                let more = more()?;
                Self::Connect { user: more & 3, polite: more & 4 == 0 }
            }
            1..=4 => {
                let more = more()?;
                Self::Join { client, room: room(more), resume: resume(more >> 3) }
            }
            5 | 6 => Self::Leave { client, room: room(more()?) },
            7 => Self::Status { client, room: room(more()?) },
            8 => Self::Ping { client },
            9 => Self::Nonsense { client },
            kind @ 10..=15 => {
                let more = more()?;
                let padding = [0, 16, 100, 300, 1_000, 4_000, 9_000, 20_000];
                let padding = padding[usize::from(more >> 5)];
                let times = if kind == 15 { 2 + (first >> 5) } else { 1 };
                Self::Update { room: room(more), kind: more >> 3, padding, times }
            }
            16 => Self::Stall { client },
            17 => Self::Take { client, bytes: 1 + 61 * usize::from(more()?) },
            18 => Self::Release { client },
            19 => Self::Goodbye { client },
            20 => match first >> 5 & 1 {
                0 => Self::End { client: client >> 1 },
                _ => Self::Vanish { client: client >> 1 },
            },
            21 | 22 => Self::Forget { room: room(more()?) },
            23 => {
                let more = more()?;
                let what = match more >> 3 & 3 {
                    0 => Bot::CloseRoom,
                    1 => Bot::CloseUser,
                    2 => Bot::CloseClient,
                    _ => Bot::Remove,
                };
                Self::Bot { client, room: room(more), what }
            }
            24 | 25 => Self::Answer { which: client, verdict: more()? },
            26 | 27 => Self::Turn { shard: client },
            28 | 29 => Self::Settle,
            30 => Self::Rest,
            _ => {
                let times = [1, 4, 100, 1_000, 6_000, 11_000, 26_000, 46_000];
                Self::Pass { time: Duration::from_millis(times[client]) }
            }
        })
    }
}
