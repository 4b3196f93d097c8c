//! A hub that listens by itself, over real sockets, without Node.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use roomcast::hub::Hub;
use roomcast::notice::{Notice, Notices, news};
use roomcast::options::Options;
use roomcast::room_id::RoomId;
use roomcast::update::{Counts, Update};
use serde_json::Value;
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

const ROOM: RoomId = RoomId::Number(1);
/// Nothing here takes this long: who waits longer has found a fault.
const FAILSAFE: Duration = Duration::from_secs(20);

/// Keeps notices for the test to look at.
struct Log {
    sender: Mutex<Sender<Notice>>,
    /// The kind of news at which the hub's thread is to panic, once.
    fault: Arc<AtomicU32>,
}

impl Notices for Log {
    fn tell(&self, notice: Notice) {
        // A test that is over listens no more.
        let _ = self.sender.lock().unwrap().send(notice);
    }

    fn wants(&self, news: u32) -> bool {
        if self.fault.compare_exchange(news, 0, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            panic!("injected");
        }
        false
    }
}

fn open(options: Options) -> (Arc<Hub>, SocketAddr, Receiver<Notice>) {
    open_with_fault(options, Arc::default())
}

fn open_with_fault(
    options: Options,
    fault: Arc<AtomicU32>,
) -> (Arc<Hub>, SocketAddr, Receiver<Notice>) {
    let (sender, notices) = channel();
    let hub = Hub::open(options, Arc::new(Log { sender: Mutex::new(sender), fault })).unwrap();
    let address = hub.listen(Some("127.0.0.1"), 0, 511).unwrap();
    (Arc::new(hub), address, notices)
}

fn socket(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(FAILSAFE)).unwrap();
    socket
}

struct Client(WebSocket<TcpStream>);

impl Client {
    fn connect(address: SocketAddr, user: &str) -> Self {
        let url = format!("ws://{address}/ws/rooms?userId={user}");
        let mut client = Self(client(url, socket(address)).unwrap().0);
        assert_eq!(client.next()["type"], "CONNECTION_ESTABLISHED");
        client
    }

    fn next(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.0.read().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }

    fn join(&mut self) -> Value {
        self.send(r#"{"action":"JOIN_ROOM","roomId":1}"#);
        self.next()
    }
}

fn eventually(holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < FAILSAFE);
        std::thread::yield_now();
    }
}

fn broadcast(hub: &Hub, current: u64) {
    let counts = Counts { current, max: 1_000_000 };
    assert!(hub.broadcast(&ROOM, &Update::CountUpdated { counts }, Some(counts)));
}

#[test]
fn an_update_reaches_the_members_on_every_shard() {
    let (hub, address, _notices) = open(Options { threads: 3, ..Options::default() });
    let mut clients: Vec<_> =
        (0..12).map(|user| Client::connect(address, &format!("u{user}"))).collect();
    for client in &mut clients {
        assert_eq!(client.join()["type"], "ROOM_JOINED");
    }
    assert_eq!(hub.client_count(&ROOM), 12);
    broadcast(&hub, 7);
    for client in &mut clients {
        assert_eq!(client.next()["currentParticipants"], 7);
    }
    // Counted once a slice is through, which a client may be ahead of.
    eventually(|| hub.stats().deliveries == 12);
    let stats = hub.stats();
    assert_eq!((stats.memberships, stats.users, stats.updates), (12, 12, 1));
}

/// Updates that come one behind the other, each as soon as the one before has arrived, and now and then a pause: the
/// threads rest between looks, and want to be woken again.
#[test]
fn no_update_is_left_lying_where_threads_stop_resting() {
    let (hub, address, _notices) = open(Options { threads: 2, ..Options::default() });
    let mut clients: Vec<_> =
        (0..6).map(|user| Client::connect(address, &format!("u{user}"))).collect();
    clients.iter_mut().for_each(|client| drop(client.join()));
    for round in 0..20 {
        for update in 0..12 {
            broadcast(&hub, round * 12 + update);
            for client in &mut clients {
                assert_eq!(client.next()["currentParticipants"], round * 12 + update);
            }
        }
        // The pause grows until it is longer than any rest.
        let pause = Instant::now();
        while pause.elapsed() < Duration::from_millis(round) {
            std::thread::yield_now();
        }
    }
}

/// Each client's stream between its ROOM_JOINED and its ROOM_LEFT has every number once, in order, on whatever shard it
/// is and however the joins fall between the updates.
#[test]
fn members_that_come_and_go_find_no_gap_and_no_repeat() {
    const UPDATES: u64 = 4_000;
    let (hub, address, _notices) =
        open(Options { threads: 4, message_rate: 1e9, ..Options::default() });
    let members: Vec<_> = (0..8)
        .map(|user| {
            std::thread::spawn(move || {
                let mut client = Client::connect(address, &format!("u{user}"));
                let (mut seen, mut newest) = (0, 0);
                while newest < UPDATES {
                    let joined = client.join();
                    let mut seq = joined["seq"].as_u64().unwrap();
                    if seq > 0 {
                        assert_eq!(
                            client.next()["seq"],
                            seq,
                            "the snapshot has the number of ROOM_JOINED"
                        );
                    }
                    newest = seq;
                    for _ in 0..(user + 1) * 20 {
                        if newest == UPDATES {
                            break;
                        }
                        newest = client.next()["seq"].as_u64().unwrap();
                        assert_eq!(newest, seq + 1);
                        (seq, seen) = (newest, seen + 1);
                    }
                    client.send(r#"{"action":"LEAVE_ROOM","roomId":1}"#);
                    loop {
                        let message = client.next();
                        if message["type"] == "ROOM_LEFT" {
                            break;
                        }
                        assert_eq!(message["seq"], seq + 1);
                        seq += 1;
                        newest = seq;
                    }
                }
                seen
            })
        })
        .collect();
    eventually(|| hub.client_count(&ROOM) == 8);
    for current in 1..=UPDATES {
        broadcast(&hub, current);
        if current % 16 == 0 {
            std::thread::yield_now();
        }
    }
    for member in members {
        assert!(member.join().unwrap() > 0, "a member that saw nothing has shown nothing");
    }
}

#[test]
fn a_drain_says_goodbye_and_ends_the_threads() {
    let (hub, address, notices) = open(Options { threads: 2, ..Options::default() });
    let mut clients: Vec<_> =
        (0..6).map(|user| Client::connect(address, &format!("u{user}"))).collect();
    clients[0].join();
    broadcast(&hub, 3);
    hub.close(FAILSAFE, Duration::from_millis(50));
    assert!(!hub.broadcast(&ROOM, &Update::Custom { fields: r#"{"event":"LATE"}"# }, None));
    assert_eq!(
        clients[0].next()["currentParticipants"],
        3,
        "what was handed over before is sent before"
    );
    for client in &mut clients {
        let Message::Close(Some(frame)) = client.0.read().unwrap() else {
            panic!("no Close frame")
        };
        assert_eq!((u16::from(frame.code), &*frame.reason), (1001, "Server shutting down"));
        // The answer goes out with the next read, which finds the end.
        assert!(client.0.read().is_err());
    }
    loop {
        match notices.recv_timeout(FAILSAFE).expect("the end is told") {
            Notice::Closed => break,
            other => assert!(!matches!(other, Notice::Error { .. }), "{other:?}"),
        }
    }
    hub.join();
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
    assert_eq!(hub.stats().connections, 0);
}

/// More connections than a shard polls in one turn have something to do at once, again and again.
#[test]
fn no_connection_is_forgotten_in_a_crowd() {
    // No heartbeat, which would wake what is forgotten.
    let options = Options { threads: 1, ping_interval: FAILSAFE * 10, ..Options::default() };
    let (hub, address, _notices) = open(options);
    let mut clients: Vec<_> =
        (0..300).map(|user| Client::connect(address, &format!("u{user}"))).collect();
    for _ in 0..20 {
        clients.iter_mut().for_each(|client| client.send(r#"{"action":"PING"}"#));
        for client in &mut clients {
            assert_eq!(client.next()["type"], "PONG");
        }
    }
    hub.close(FAILSAFE, Duration::ZERO);
    for client in &mut clients {
        assert_closed(client, 1001);
    }
}

#[test]
fn a_hub_that_is_stopped_or_dropped_leaves_nothing() {
    let (hub, address, _notices) = open(Options::default());
    let mut client = Client::connect(address, "u");
    drop(hub);
    assert!(client.0.read().is_err());
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn requests_that_are_no_handshake_are_answered_in_http() {
    let (_hub, address, _notices) = open(Options::default());
    let ask = |request: &str| {
        let mut socket = socket(address);
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    };
    let plain = |head: &str| ask(&format!("{head} HTTP/1.1\r\nHost: here\r\n\r\n"));
    assert_eq!(plain("GET /other"), "HTTP/1.1 404 Not Found");
    assert_eq!(plain("POST /ws/rooms"), "HTTP/1.1 405 Method Not Allowed");
    assert_eq!(plain("GET /ws/rooms?userId=1"), "HTTP/1.1 426 Upgrade Required");
    assert_eq!(ask("nonsense\r\n\r\n"), "HTTP/1.1 400 Bad Request");
    let many = "X: y\r\n".repeat(3_000);
    assert!(ask(&format!("GET /ws/rooms HTTP/1.1\r\n{many}\r\n")).starts_with("HTTP/1.1 431"));
}

#[test]
fn a_taken_port_is_an_error() {
    let (hub, address, _notices) = open(Options::default());
    let error = hub.listen(Some("127.0.0.1"), address.port(), 511).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}

fn assert_closed(client: &mut Client, code: u16) {
    let Message::Close(Some(frame)) = client.0.read().unwrap() else { panic!("no Close frame") };
    assert_eq!(u16::from(frame.code), code);
}

#[test]
fn a_panic_in_a_session_ends_that_session_alone() {
    let fault = Arc::new(AtomicU32::new(0));
    let (hub, address, notices) =
        open_with_fault(Options { threads: 1, ..Options::default() }, fault.clone());
    let (mut victim, mut other) =
        (Client::connect(address, "victim"), Client::connect(address, "other"));
    other.join();
    fault.store(news::JOIN, Ordering::Relaxed);
    victim.send(r#"{"action":"JOIN_ROOM","roomId":1}"#);
    assert_closed(&mut victim, 1011);
    let told = notices.recv_timeout(FAILSAFE).unwrap();
    assert!(matches!(told, Notice::Error { code: "SESSION_PANIC", .. }), "{told:?}");
    eventually(|| hub.stats().connections == 1);
    assert_eq!((hub.client_count(&ROOM), hub.stats().users), (1, 1));
    broadcast(&hub, 2);
    assert_eq!(other.next()["currentParticipants"], 2);
}

#[test]
fn a_panic_in_a_shard_ends_its_clients_and_it_starts_again_empty() {
    let fault = Arc::new(AtomicU32::new(0));
    let (hub, address, notices) =
        open_with_fault(Options { threads: 1, ..Options::default() }, fault.clone());
    let mut clients: Vec<_> =
        (0..3).map(|user| Client::connect(address, &format!("u{user}"))).collect();
    clients.iter_mut().for_each(|client| drop(client.join()));
    // A command, not a session, brings it about; what was told behind it is done all the same.
    fault.store(news::LEAVE, Ordering::Relaxed);
    hub.remove_from_room("u0", &ROOM);
    clients.iter_mut().for_each(|client| assert_closed(client, 1011));
    let told = notices.recv_timeout(FAILSAFE).unwrap();
    assert!(matches!(told, Notice::Error { code: "SHARD_PANIC", .. }), "{told:?}");
    eventually(|| hub.stats().connections == 0);
    assert_eq!((hub.client_count(&ROOM), hub.stats().memberships, hub.stats().users), (0, 0, 0));
    let mut later = Client::connect(address, "later");
    later.join();
    broadcast(&hub, 1);
    assert_eq!(later.next()["currentParticipants"], 1);
    hub.close(Duration::ZERO, Duration::ZERO);
    hub.join();
}

#[test]
fn a_panic_in_a_shard_leaves_the_clients_of_the_others_alone() {
    let fault = Arc::new(AtomicU32::new(0));
    let (hub, address, notices) =
        open_with_fault(Options { threads: 2, ..Options::default() }, fault.clone());
    // Which of them accepts is the kernel's choice.
    let mut clients = Vec::new();
    let connections = || hub.stats().threads.into_iter().map(|(connections, _)| connections);
    while connections().any(|connections| connections == 0) {
        assert!(clients.len() < 1_000, "both shards have clients");
        let mut client = Client::connect(address, &format!("u{}", clients.len()));
        client.join();
        clients.push(client);
    }
    let before: Vec<_> = connections().collect();
    fault.store(news::LEAVE, Ordering::Relaxed);
    hub.remove_from_room("u0", &ROOM);
    let told = notices.recv_timeout(FAILSAFE).unwrap();
    assert!(matches!(told, Notice::Error { code: "SHARD_PANIC", .. }), "{told:?}");
    eventually(|| connections().any(|connections| connections == 0));
    let failed = connections().position(|connections| connections == 0).unwrap();
    broadcast(&hub, 2);
    let mut closed = 0;
    for client in &mut clients {
        match client.0.read().unwrap() {
            Message::Close(frame) => {
                assert_eq!(frame.map(|frame| u16::from(frame.code)), Some(1011));
                closed += 1;
            }
            message => assert!(message.to_text().unwrap().contains(r#""currentParticipants":2"#)),
        }
    }
    assert_eq!(closed, before[failed]);
}
