//! The driver: carries out the conductor's commands on a swarm of clients.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use mio::{Events, Poll};
use serde_json::{Value, json};

use crate::control::{COMMANDS, Commands, answer, number};
use crate::dialect::Dialect;
use crate::limits;
use crate::progress::Progress;
use crate::swarm::{Swarm, Target};
use crate::tally::Tally;
use crate::trust;

/// What the conductor waits for.
enum Goal {
    Joined { count: usize, in_flight: usize },
    Delivered { each: u64, messages: u64 },
}

struct Driver {
    poll: Poll,
    swarm: Swarm,
    tally: Tally,
    target: Option<Target>,
    progress: Option<Progress>,
    goal: Option<(Goal, Instant, Instant)>,
}

/// Runs until the conductor is gone.
pub(crate) fn run() -> io::Result<()> {
    let descriptors = limits::raise_descriptors();
    let poll = Poll::new()?;
    let commands = Commands::new(&poll)?;
    let mut driver = Driver {
        poll,
        swarm: Swarm::default(),
        tally: Tally::new(),
        target: None,
        progress: None,
        goal: None,
    };
    let mut events = Events::with_capacity(1_024);
    let mut scratch = vec![0; 64 * 1_024];
    answer(&json!({ "descriptors": descriptors }));
    loop {
        let wait = driver.goal.as_ref().map(|(_, _, deadline)| {
            deadline.saturating_duration_since(Instant::now()).min(Duration::from_millis(100))
        });
        match driver.poll.poll(&mut events, wait) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in &events {
            if event.token() != COMMANDS {
                driver.swarm.ready(event, &mut scratch, &mut driver.tally);
            } else if !commands.each(|command| driver.carry_out(command))? {
                return Ok(());
            }
        }
        if let Some(progress) = &mut driver.progress {
            progress.tell(driver.tally.passed)?;
        }
        driver.look_at_goal()?;
    }
}

impl Driver {
    fn carry_out(&mut self, command: &Value) -> io::Result<()> {
        let now = Instant::now();
        let deadline = now + Duration::from_secs(number(command, "seconds", 60));
        match command["cmd"].as_str() {
            Some("target") => {
                self.target = Some(target(command).map_err(io::Error::other)?);
                answer(&json!({}));
            }
            Some("connect") => {
                let count = number(command, "count", 1) as usize;
                let in_flight = number(command, "inFlight", 64) as usize;
                self.goal = Some((Goal::Joined { count, in_flight }, now, deadline));
            }
            Some("expect") => {
                self.tally.start();
                self.swarm.start_count();
                self.progress = match number(command, "progress", 0) {
                    0 => None,
                    port => {
                        let port = u16::try_from(port).map_err(io::Error::other)?;
                        Some(Progress::new(port, number(command, "every", 1))?)
                    }
                };
                answer(&json!({}));
            }
            Some("delivered") => {
                let each = number(command, "each", 1);
                let messages = each * self.swarm.open() as u64;
                self.goal = Some((Goal::Delivered { each, messages }, now, deadline));
            }
            Some("close") => {
                let closed = self.swarm.open();
                self.swarm = Swarm::default();
                answer(&json!({ "closed": closed }));
            }
            other => answer(&json!({ "error": format!("unknown command {other:?}") })),
        }
        Ok(())
    }

    fn look_at_goal(&mut self) -> io::Result<()> {
        let Some((goal, since, deadline)) = &self.goal else { return Ok(()) };
        let over = Instant::now() >= *deadline;
        let report = match *goal {
            Goal::Joined { count, in_flight } => {
                let Some(target) = &self.target else {
                    return Err(io::Error::other("connect came before target"));
                };
                self.swarm.grow(count, in_flight, target, self.poll.registry())?;
                if self.swarm.joined < count && self.swarm.failed == 0 && !over {
                    return Ok(());
                }
                json!({ "joined": self.swarm.joined, "seconds": since.elapsed().as_secs_f64() })
            }
            Goal::Delivered { each, messages } => {
                let came =
                    self.progress.as_ref().map_or(self.tally.messages, |_| self.tally.passed);
                if came < messages && !over {
                    return Ok(());
                }
                self.tally.report(self.swarm.lacking(each))
            }
        };
        self.goal = None;
        let mut report = report;
        report["failed"] = self.swarm.failed.into();
        report["failure"] = self.swarm.failure.clone().into();
        answer(&report);
        Ok(())
    }
}

fn target(command: &Value) -> Result<Target, Box<dyn std::error::Error + Send + Sync>> {
    let port = u16::try_from(number(command, "port", 0))?;
    let dialect = match command["dialect"].as_str() {
        Some("socket.io") => Dialect::SocketIo,
        _ => Dialect::Plain,
    };
    let tls = command["certificate"].as_str().map(trust::only).transpose()?;
    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    Ok(Target { address, dialect, tls, rooms: number(command, "rooms", 1) })
}
