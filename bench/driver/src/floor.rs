//! The floor: one thread, and a bare `send` per member. What no server on one thread can be below.

mod members;

use std::io;
use std::thread;
use std::time::Duration;

use mio::{Events, Poll};
use serde_json::{Value, json};

use crate::clock;
use crate::control::{COMMANDS, Commands, answer, number};
use crate::limits;
use members::Members;

/// Runs until the conductor is gone.
pub(crate) fn run() -> io::Result<()> {
    limits::raise_descriptors();
    let mut poll = Poll::new()?;
    let commands = Commands::new(&poll)?;
    let mut members = Members::listen(poll.registry())?;
    let mut events = Events::with_capacity(1_024);
    answer(&json!({ "port": members.port()?, "version": "" }));
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in &events {
            if event.token() != COMMANDS {
                members.ready(event, poll.registry())?;
            } else if !commands.each(|command| {
                answer(&carry_out(command, &mut members));
                Ok(())
            })? {
                return Ok(());
            }
        }
    }
}

fn carry_out(command: &Value, members: &mut Members) -> Value {
    match command["cmd"].as_str() {
        Some("run") => broadcast(command, members),
        // Nothing runs beside the loop that could stall.
        Some("watch") => json!({}),
        other => json!({ "error": format!("the floor has no {other:?}") }),
    }
}

/// Sends updates to one room after the other, each when it is due. Returns how long each call took.
fn broadcast(command: &Value, members: &mut Members) -> Value {
    let rooms = number(command, "rooms", 1);
    let updates = number(command, "updates", 1);
    let interval = (command["intervalMs"].as_f64().unwrap_or(0.0) * 1e6) as u64;
    let start = clock::now();
    let mut calls = Vec::with_capacity(updates as usize);
    for index in 0..updates {
        let due = start + index * interval;
        thread::sleep(Duration::from_nanos(due.saturating_sub(clock::now())));
        let called = clock::now();
        members.send_update(1 + index % rooms, called);
        calls.push(clock::now() - called);
    }
    json!({ "calls": calls })
}
