//! The floor's sockets: accepted, upgraded without being asked who they are, and kept by room.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use serde_json::Value;

use crate::{room, wire};

const LISTENER: Token = Token(usize::MAX - 1);

struct Member {
    socket: TcpStream,
    upgraded: bool,
    rest: Vec<u8>,
}

pub(super) struct Members {
    listener: TcpListener,
    sockets: Vec<Option<Member>>,
    rooms: HashMap<u64, Vec<usize>>,
    seq: u64,
}

impl Members {
    pub(super) fn listen(registry: &Registry) -> io::Result<Self> {
        let mut listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        registry.register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self { listener, sockets: Vec::new(), rooms: HashMap::new(), seq: 0 })
    }

    pub(super) fn port(&self) -> io::Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    pub(super) fn ready(&mut self, event: &Event, registry: &Registry) -> io::Result<()> {
        if event.token() == LISTENER {
            return self.accept(registry);
        }
        let index = event.token().0;
        let Some(Some(member)) = self.sockets.get_mut(index) else { return Ok(()) };
        match member.read(index) {
            Ok(Some(room)) => self.rooms.entry(room).or_default().push(index),
            Ok(None) => {}
            // Gone: whoever sends to it next will skip it.
            Err(_) => self.sockets[index] = None,
        }
        Ok(())
    }

    fn accept(&mut self, registry: &Registry) -> io::Result<()> {
        loop {
            let mut socket = match self.listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            registry.register(&mut socket, Token(self.sockets.len()), Interest::READABLE)?;
            socket.set_nodelay(true)?;
            self.sockets.push(Some(Member { socket, upgraded: false, rest: Vec::new() }));
        }
    }

    /// Encodes once, sends to each.
    pub(super) fn send_update(&mut self, room: u64, stamp: u64) {
        self.seq += 1;
        let mut frame = Vec::new();
        wire::put(&mut frame, wire::TEXT, room::update(room, stamp, self.seq).as_bytes());
        for &index in self.rooms.get(&room).into_iter().flatten() {
            if let Some(member) = &mut self.sockets[index] {
                // A member that is gone is noticed by its own event.
                let _ = send(&mut member.socket, &frame);
            }
        }
    }
}

impl Member {
    /// Answers what came; the room, where that was to join one.
    fn read(&mut self, user: usize) -> io::Result<Option<u64>> {
        let mut bytes = [0; 1_024];
        match self.socket.read(&mut bytes) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => self.rest.extend_from_slice(&bytes[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        }
        if !self.upgraded {
            if self.rest.ends_with(b"\r\n\r\n") {
                self.rest = Vec::new();
                self.upgraded = true;
                // Right for the one key that the driver sends: RFC 6455 §1.3 has both.
                let mut out = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
                    .to_vec();
                wire::put(&mut out, wire::TEXT, room::established(user).as_bytes());
                send(&mut self.socket, &out)?;
            }
            return Ok(None);
        }
        let Some(frame) = wire::first(&self.rest) else { return Ok(None) };
        let join: Value = serde_json::from_slice(frame.payload).unwrap_or_default();
        self.rest = Vec::new();
        let Some(room) = join["roomId"].as_u64() else { return Ok(None) };
        let mut out = Vec::new();
        wire::put(&mut out, wire::TEXT, room::joined(room, user).as_bytes());
        send(&mut self.socket, &out)?;
        Ok(Some(room))
    }
}

fn send(socket: &mut TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match socket.write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            // A full socket is waited for: no load of the suite fills one.
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::yield_now(),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
