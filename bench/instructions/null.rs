//! A room whose members take everything at once and keep nothing: relayed clients with nobody behind them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, Thread};

use bytes::Bytes;
use roomcast::handshake::Head;
use roomcast::hub::Hub;
use roomcast::notice::{Notice, Notices};
use roomcast::options::Options;
use roomcast::transport::Relay;
use roomcast::update::Update;

use crate::ROOM;

/// Counts the updates that members are given, and wakes who waits for them.
struct Sink {
    delivered: AtomicU64,
    members: u64,
    waiting: Thread,
}

impl Notices for Sink {
    fn tell(&self, notice: Notice) {
        let Notice::RelayWrite { bytes, .. } = notice else { return };
        // Behind a header of four bytes; the answers of the join do not count.
        if bytes.get(4..).is_some_and(|text| text.starts_with(br#"{"type":"ROOM_UPDATE""#)) {
            let before = self.delivered.fetch_add(1, Ordering::AcqRel);
            if (before + 1).is_multiple_of(self.members) {
                self.waiting.unpark();
            }
        }
    }

    fn wants(&self, _news: u32) -> bool {
        false
    }
}

/// A hub of one thread with all its clients in one room.
pub(crate) struct Crowd {
    hub: Hub,
    sink: Arc<Sink>,
    members: u64,
    _relays: Vec<Arc<Relay>>,
}

impl Crowd {
    /// Opens a hub and waits until all are in the room.
    pub(crate) fn gather(members: u64) -> Self {
        let waiting = thread::current();
        let sink = Arc::new(Sink { delivered: AtomicU64::new(0), members, waiting });
        let options = Options { threads: 1, ..Options::default() };
        let hub = Hub::open(options, sink.clone()).expect("a thread can be had");
        let join = |user| hub.adopt_relayed(request(user), join_frame(), None, None).1;
        let relays = (0..members).map(join).collect();
        while hub.client_count(&ROOM) < members {
            thread::yield_now();
        }
        Self { hub, sink, members, _relays: relays }
    }

    /// Sends one update and waits until every member has it. A client that nobody reads for takes some 100 of them.
    pub(crate) fn send(&self, update: &Update<'_>) {
        let wanted = self.sink.delivered.load(Ordering::Acquire) + self.members;
        assert!(self.hub.broadcast(&ROOM, update, None), "the hub is open");
        while self.sink.delivered.load(Ordering::Acquire) < wanted {
            thread::park();
        }
    }
}

fn request(user: u64) -> Head {
    Head {
        method: "GET".into(),
        url: format!("/ws/rooms?userId={user}"),
        http_minor: 1,
        upgrade: Some("websocket".into()),
        connection: Some("Upgrade".into()),
        version: Some("13".into()),
        key: Some("dGhlIHNhbXBsZSBub25jZQ==".into()),
        host: Some("localhost".into()),
        ..Head::default()
    }
}

/// A client's JOIN_ROOM, masked as RFC 6455 §5.3 has it.
pub(crate) fn join_frame() -> Bytes {
    let text = br#"{"action":"JOIN_ROOM","roomId":1}"#;
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![0x81, 0x80 | text.len() as u8];
    frame.extend_from_slice(&key);
    frame.extend(text.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame.into()
}
