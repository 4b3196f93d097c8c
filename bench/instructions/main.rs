//! Work whose instructions are counted (`npm run bench:instructions`): `encode`, `parse` or `fanout`, so many times.
//!
//! Two counts of one kind tell what one more costs, whatever it takes to get there.

mod null;

use std::hint::black_box;
use std::time::SystemTime;

use roomcast::codec::{Decoder, Incoming};
use roomcast::message;
use roomcast::room_id::RoomId;
use roomcast::update::{Counts, Update, encode};

const ROOM: RoomId = RoomId::Number(1);
const MEMBERS: u64 = 1_000;

fn update() -> Update<'static> {
    let counts = Counts { current: 25, max: 50 };
    Update::Joined { name: "Ada Lovelace", counts }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    // Cargo has a word of its own for those that run all benchmarks.
    let (what, times) = (arguments.next(), arguments.next().and_then(|times| times.parse().ok()));
    let times: u64 = times.unwrap_or(1);
    match what.as_deref() {
        Some("encode") => (0..times).for_each(|seq| {
            black_box(encode(&ROOM, black_box(&update()), SystemTime::now(), seq, None));
        }),
        Some("parse") => {
            let frame = null::join_frame();
            (0..times).for_each(|_| _ = black_box(parse(black_box(&frame))));
        }
        Some("fanout") => {
            let room = null::Crowd::gather(MEMBERS);
            (0..times).for_each(|_| room.send(&update()));
        }
        other => eprintln!("instructions encode|parse|fanout TIMES; not {other:?}"),
    }
}

/// One message, from the bytes of its frame to what it asks.
fn parse(mut frame: &[u8]) -> message::Request {
    match Decoder::new(65_536).decode(&mut frame) {
        Ok(Some(Incoming::Message(_, text))) => {
            message::parse(&text).expect("a JOIN_ROOM is valid")
        }
        other => panic!("the frame is a whole message: {other:?}"),
    }
}
