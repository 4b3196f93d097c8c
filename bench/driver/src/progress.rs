//! Tells the bot how far its updates have come, while it sends: a line of digits for each step, over a connection of
//! their own.

use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpStream};

/// To where progress is told.
pub(crate) struct Progress {
    stream: TcpStream,
    every: u64,
    told: u64,
}

impl Progress {
    /// Tells whoever listens on this port of every `every` updates.
    pub(crate) fn new(port: u16, every: u64) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, every, told: 0 })
    }

    /// `passed` updates have come since the count began.
    pub(crate) fn tell(&mut self, passed: u64) -> io::Result<()> {
        if passed - self.told < self.every {
            return Ok(());
        }
        self.told = passed;
        self.stream.write_all(format!("{passed}\n").as_bytes())
    }
}
