//! A client's stream of bytes: a socket, with TLS in front of it or not.

use std::io::{self, Read, Write};
use std::sync::Arc;

use mio::net::TcpStream;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

pub(crate) struct Stream {
    pub(crate) socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
}

/// What a read brought.
pub(crate) enum Brought {
    /// Bytes; `more` where the socket may hold more.
    Bytes {
        count: usize,
        more: bool,
    },
    Nothing,
    End,
}

impl Stream {
    pub(crate) fn new(socket: TcpStream, tls: Option<&Arc<ClientConfig>>) -> io::Result<Self> {
        let connection = |config: &Arc<ClientConfig>| {
            let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
            ClientConnection::new(config.clone(), name).map(Box::new).map_err(io::Error::other)
        };
        Ok(Self { socket, tls: tls.map(connection).transpose()? })
    }

    /// Reads once. A read that does not fill the buffer has emptied the socket (epoll(7), question 9), which saves
    /// the read that would only say so.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<Brought> {
        let Some(tls) = &mut self.tls else {
            let room = into.len();
            return brought(self.socket.read(into), |count| count == room);
        };
        match brought(tls.read_tls(&mut self.socket), |_| true)? {
            Brought::Bytes { .. } => {}
            other => return Ok(other),
        }
        tls.process_new_packets().map_err(io::Error::other)?;
        // Answers of the protocol itself, of the handshake above all.
        while tls.wants_write() {
            tls.write_tls(&mut self.socket)?;
        }
        match tls.reader().read(into) {
            Ok(count) if count > 0 => Ok(Brought::Bytes { count, more: true }),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Ok(Brought::Bytes { count: 0, more: true })
            }
            Ok(_) => Ok(Brought::End),
            Err(error) => Err(error),
        }
    }

    /// Writes all of it: a client has so little to say that its socket takes it.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return self.socket.write_all(bytes) };
        tls.writer().write_all(bytes)?;
        // Before the handshake is done rustls keeps it; behind that, it goes with the answers in `read`.
        while tls.wants_write() {
            tls.write_tls(&mut self.socket)?;
        }
        Ok(())
    }
}

fn brought(read: io::Result<usize>, more: impl Fn(usize) -> bool) -> io::Result<Brought> {
    match read {
        Ok(0) => Ok(Brought::End),
        Ok(count) => Ok(Brought::Bytes { count, more: more(count) }),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Brought::Nothing),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            Ok(Brought::Bytes { count: 0, more: true })
        }
        Err(error) => Err(error),
    }
}
