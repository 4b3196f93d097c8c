//! An echo server of the hub's own parts, for conformance suites: its transport, opening and closing handshake, session
//! with codec and limits, outbox. What it leaves out is what a suite cannot ask for, the rooms.
//!
//! ```sh
//! cargo run --release --example echo -- PORT
//! ```
//!
//! listens on 127.0.0.1 and prints its URL. A port of 0 is one that is free.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::net::TcpListener;
use std::pin::Pin;
use std::process::ExitCode;
use std::task::{Context, Poll};

use bytes::Bytes;
use roomcast::arrival::{Arrival, Outcome, Request};
use roomcast::codec::Kind;
use roomcast::frame::TextFrame;
use roomcast::handshake;
use roomcast::options::Options;
use roomcast::session::{Effect, Scratch, Session};
use roomcast::shared::{Decided, Shared};
use roomcast::transport::{Listener, Poller, Transport};
use tokio::time::{Instant, Sleep, sleep_until};

/// The longest messages of Autobahn's section 9.
const MAX_PAYLOAD: usize = 16 * 1024 * 1024;
/// Messages per second, and at once: beyond what anyone can send, since the suite's messages come as fast as they can.
const UNLIMITED: f64 = 1e9;

/// What the poller announces the listening socket by; connections count from zero.
const LISTENER: usize = usize::MAX - 1;
/// The first byte of an unfragmented binary frame.
const FIN_BINARY: u8 = 0x82;
/// Steps that one connection takes before the others have their turn, as in a shard.
const STEPS: u32 = 64;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port] = &*arguments else { return fail("the one argument is a port") };
    let Ok(port) = port.parse() else { return fail(format!("{port} is no port")) };
    match serve(port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error),
    }
}

fn fail(why: impl std::fmt::Display) -> ExitCode {
    eprintln!("echo: {why}");
    ExitCode::FAILURE
}

fn serve(port: u16) -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    println!("ws://{}/", listener.local_addr()?);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    runtime.block_on(async {
        let mut echo = Echo::new(listener)?;
        poll_fn(|cx| echo.turn(cx)).await
    })
}

/// A connection that has yet to ask for a WebSocket, or one that has it.
enum Connection {
    Arrival(Arrival),
    Session(Box<Session>),
}

impl Connection {
    fn transport(&mut self) -> &mut Transport {
        match self {
            Self::Arrival(arrival) => &mut arrival.transport,
            Self::Session(session) => session.transport(),
        }
    }

    fn deadline(&self, shared: &Shared) -> Instant {
        match self {
            Self::Arrival(arrival) => arrival.deadline(),
            Self::Session(session) => session.deadline(shared),
        }
    }
}

/// What a shard is to the hub, for a handful of connections: all of them are polled in every turn.
struct Echo {
    shared: Shared,
    poller: Poller,
    listener: Listener,
    connections: HashMap<usize, Connection>,
    /// How many there have been: the next one's token.
    accepted: usize,
    scratch: Scratch,
    alarm: Pin<Box<Sleep>>,
}

impl Echo {
    fn new(listener: TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let poller = Poller::new()?;
        Ok(Self {
            shared: Shared::new(Options {
                max_payload: MAX_PAYLOAD,
                message_rate: UNLIMITED,
                message_burst: UNLIMITED,
                ..Options::default()
            }),
            listener: Listener::new(listener, &poller, LISTENER)?,
            poller,
            connections: HashMap::new(),
            accepted: 0,
            scratch: Scratch::default(),
            alarm: Box::pin(sleep_until(Instant::now())),
        })
    }

    /// Does what there is to do. Ready only with an error, which is a fault of the system.
    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { poller, listener, connections, .. } = self;
        poller.poll(cx, |token, readiness| {
            if token == LISTENER {
                listener.on_ready();
            } else if let Some(connection) = connections.get_mut(&token) {
                connection.transport().on_ready(readiness);
            }
        })?;
        self.accept(cx)?;
        for (token, connection) in std::mem::take(&mut self.connections) {
            match self.advance(token, connection, cx) {
                Some(connection) => _ = self.connections.insert(token, connection),
                None => self.scratch.clear(),
            }
        }
        let deadlines = self.connections.values().map(|one| one.deadline(&self.shared));
        if let Some(next) = deadlines.min() {
            self.alarm.as_mut().reset(next);
            if self.alarm.as_mut().poll(cx).is_ready() {
                cx.waker().wake_by_ref();
            }
        }
        Poll::Pending
    }

    fn accept(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while let Poll::Ready(socket) = self.listener.poll_accept(cx) {
            let (token, mut transport) = (self.accepted, Transport::Socket(socket?));
            transport.register(&self.poller, token)?;
            let deadline = Instant::now() + self.shared.options.handshake_timeout;
            let arrival = Arrival::new(token as u64, transport, deadline);
            self.connections.insert(token, Connection::Arrival(arrival));
            self.accepted += 1;
        }
        Ok(())
    }

    /// Goes on with a connection as far as it goes. None where it is over.
    fn advance(
        &mut self,
        token: usize,
        mut connection: Connection,
        cx: &mut Context<'_>,
    ) -> Option<Connection> {
        let mut steps = STEPS;
        loop {
            connection = match connection {
                Connection::Arrival(mut arrival) => match arrival.poll(cx, &mut self.scratch) {
                    Poll::Pending => return Some(Connection::Arrival(arrival)),
                    Poll::Ready(Outcome::Complete(request)) => {
                        self.upgrade(token, arrival, *request, cx)
                    }
                    Poll::Ready(Outcome::Refused(refusal)) => {
                        arrival.refuse(refusal, cx);
                        Connection::Arrival(arrival)
                    }
                    Poll::Ready(Outcome::Yield) => {
                        cx.waker().wake_by_ref();
                        return Some(Connection::Arrival(arrival));
                    }
                    Poll::Ready(Outcome::Gone) => return None,
                },
                Connection::Session(mut session) => {
                    match session.poll(cx, &mut self.scratch, &mut steps, &self.shared) {
                        Poll::Pending => return Some(Connection::Session(session)),
                        Poll::Ready(Effect::Message(kind, payload)) => {
                            session.answer(frame(kind, &payload));
                        }
                        Poll::Ready(Effect::Yield) => {
                            cx.waker().wake_by_ref();
                            return Some(Connection::Session(session));
                        }
                        Poll::Ready(Effect::Ended(_)) => return None,
                        Poll::Ready(effect) => unreachable!("{effect:?} without rooms"),
                    }
                    Connection::Session(session)
                }
            };
        }
    }

    /// Lets a client in, on whatever path, whose request is a handshake.
    fn upgrade(
        &self,
        token: usize,
        mut arrival: Arrival,
        request: Request,
        cx: &mut Context<'_>,
    ) -> Connection {
        let peer = arrival.transport.peer();
        let decided = Decided { path: true, origin: None };
        if let Err(refusal) = self.shared.check(&request.head, peer, decided) {
            arrival.refuse(refusal, cx);
            return Connection::Arrival(arrival);
        }
        let key = request.head.key.as_deref().unwrap_or_default();
        let mut session = Session::new(
            token as u64,
            arrival.transport,
            handshake::accept(key).into(),
            request.behind,
            self.shared.admission.admit(peer),
            &self.shared.options,
        );
        session.open();
        Connection::Session(Box::new(session))
    }
}

/// The hub only ever sends text; a binary frame differs from that in its opcode (RFC 6455 §5.2).
fn frame(kind: Kind, payload: &[u8]) -> Bytes {
    let text = TextFrame::with_capacity(payload.len());
    let text = text.append(|out| out.extend_from_slice(payload)).finish();
    match kind {
        Kind::Text => text,
        Kind::Binary => {
            let mut binary = Vec::from(text);
            binary[0] = FIN_BINARY;
            binary.into()
        }
    }
}
