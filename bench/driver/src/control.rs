//! How the run's conductor steers this process: one JSON object a line, commands on stdin, one answer each on stdout.

use std::io::{self, BufRead, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;

use mio::{Token, Waker};
use serde_json::Value;

/// The token by which a poll tells that commands wait.
pub(crate) const COMMANDS: Token = Token(usize::MAX);

/// Commands, read by a thread that wakes the poll for each.
pub(crate) struct Commands {
    receiver: Receiver<Value>,
    /// A waker that goes with its thread takes the last wake-up along.
    _waker: Arc<Waker>,
}

impl Commands {
    pub(crate) fn new(poll: &mio::Poll) -> io::Result<Self> {
        let waker = Arc::new(Waker::new(poll.registry(), COMMANDS)?);
        let (sender, receiver) = channel();
        let kept = waker.clone();
        thread::spawn(move || {
            for line in io::stdin().lock().lines().map_while(Result::ok) {
                match serde_json::from_str(&line) {
                    Ok(command) => _ = sender.send(command),
                    Err(error) => eprintln!("not a command: {line}: {error}"),
                }
                // Fails with the poll only, when nobody waits for commands any more.
                let _ = waker.wake();
            }
            drop(sender);
            let _ = waker.wake();
        });
        Ok(Self { receiver, _waker: kept })
    }

    /// Hands all commands that wait to `carry_out`; false once there will be no more.
    pub(crate) fn each(
        &self,
        mut carry_out: impl FnMut(&Value) -> io::Result<()>,
    ) -> io::Result<bool> {
        loop {
            match self.receiver.try_recv() {
                Ok(command) => carry_out(&command)?,
                Err(TryRecvError::Empty) => return Ok(true),
                Err(TryRecvError::Disconnected) => return Ok(false),
            }
        }
    }
}

/// Answers a command.
pub(crate) fn answer(value: &Value) {
    let mut out = io::stdout().lock();
    // A conductor that is gone has no use for the answer; stdin's end says so too.
    let _ = writeln!(out, "{value}").and_then(|()| out.flush());
}

/// A number of a command, or what it is without one.
pub(crate) fn number(command: &Value, field: &str, otherwise: u64) -> u64 {
    command[field].as_u64().unwrap_or(otherwise)
}
