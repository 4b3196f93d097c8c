//! The other end of roomcast's benchmarks, and their floor.
//!
//! Without an argument: the driver, which opens clients and times what they are sent. With `floor`: a server that
//! sends by a bare loop over its sockets. Both are steered by JSON lines on stdin (`bench/README.md`).

mod client;
mod clock;
mod control;
mod dialect;
mod driver;
mod floor;
mod limits;
mod progress;
mod room;
mod stream;
mod swarm;
mod tally;
mod trust;
mod wire;

fn main() -> std::io::Result<()> {
    match std::env::args().nth(1).as_deref() {
        None => driver::run(),
        Some("floor") => floor::run(),
        Some(other) => Err(std::io::Error::other(format!("unknown mode {other}"))),
    }
}
