//! The hubs of other processes, through Redis: one sequence per room, whoever broadcasts; orders that all follow; how
//! many clients there are over all.
//!
//! It has a thread with a runtime of its own. The others leave it errands; it hands the shards what Redis tells. Each
//! room it has to do with is a line (`line.rs`), which is brought step by step to where it should be (subscribed or
//! not, up to date, nothing left to send), at most one call at a time. After any failure the connection is given up and
//! all lines begin again on another one, so there is one way to come back, whatever has happened. See
//! `docs/architecture.md`.

mod address;
mod ask;
mod calls;
mod contact;
mod errands;
mod fault;
mod line;
mod link;
mod order;
mod orders;
mod record;
mod told;

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, Sleep, timeout};

use crate::errand::{Errand, Errands};
use crate::local::Local;
use crate::notice::Notice;
use crate::options::ClusterOptions;
use crate::room::new_epoch;
use crate::shard::{Command, panic_message};

pub use address::Address;
use calls::Answer;
use contact::Contact;
use line::{Keys, Line, Topic};

/// How long a room that nobody is in any more stays subscribed: pages that are loaded anew come back at once.
const LINGER: Duration = Duration::from_secs(1);
/// Calls under way at the most.
const CALLS: usize = 512;
/// Time to take leave of the other processes.
const FAREWELL: Duration = Duration::from_millis(200);
/// The longest pause in which nothing is looked at.
const IDLE: Duration = Duration::from_secs(60);

/// Starts the cluster's thread, which calls `ended` as the last thing it does.
///
/// # Errors
/// `InvalidInput` where the address is none; where the system has no thread or no descriptor left.
pub fn spawn(
    options: &ClusterOptions,
    local: Local,
    errands: Arc<Errands>,
    ended: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let address = Address::parse(&options.url).map_err(|fault| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("cluster.url {fault}"))
    })?;
    let prefix = options.prefix.clone();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let cluster = {
        let _within = runtime.enter();
        Cluster::new(Arc::new(address), prefix, local, errands)
    };
    thread::Builder::new().name("roomcast-cluster".into()).spawn(move || {
        // A spawned task is woken by its own thread without a system call, one that `block_on` polls itself is not.
        let cluster = runtime.spawn(cluster.run());
        let _ = runtime.block_on(cluster);
        // A look-up of a host's name cannot be stopped, and is not waited for.
        runtime.shutdown_background();
        ended();
    })
}

/// How the thread ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// At once.
    Stop,
    /// With the drain of the shards.
    Drain { grace: Duration, spread: Duration },
}

/// A close that waits for what is on its way.
#[derive(Debug)]
struct Closing {
    until: Instant,
    grace: Duration,
    spread: Duration,
}

struct Cluster {
    address: Arc<Address>,
    prefix: Arc<str>,
    /// This process's name in the cluster, never used before or after.
    process: Arc<str>,
    local: Local,
    errands: Arc<Errands>,
    /// Errands that are being run.
    taken: VecDeque<Errand>,
    contact: Contact,
    calls: FuturesUnordered<Pin<Box<dyn Future<Output = Answer> + Send>>>,
    /// A call was made that has not been polled.
    made: bool,
    lines: HashMap<Topic, Line>,
    channels: HashMap<String, Topic>,
    /// Lines that may have something to do.
    due: VecDeque<Topic>,
    /// Rooms whose last member has left, the longest ago first.
    lingering: VecDeque<(Instant, Topic)>,
    /// Rooms whose newest update waits for Redis while that is away, the oldest first.
    backlog: VecDeque<Topic>,
    /// Numbers of this process's updates.
    next_item: u64,
    /// How far the orders have been followed; none before the first look.
    followed: Option<(Option<Arc<str>>, u64)>,
    /// When the log last said that Redis refuses something.
    refused_at: Option<Instant>,
    /// Rooms of which the members were closed here before all were told, by the number of the item.
    obeyed: HashSet<u64>,
    /// Processes that live.
    alive: Arc<HashSet<String>>,
    beat_at: Instant,
    /// When rooms are said to be in use again.
    renew_at: Instant,
    closing: Option<Closing>,
    timer: Pin<Box<Sleep>>,
}

impl Cluster {
    fn new(address: Arc<Address>, prefix: String, local: Local, errands: Arc<Errands>) -> Self {
        let now = Instant::now();
        Self {
            address,
            prefix: prefix.into(),
            process: new_epoch(),
            local,
            errands,
            taken: VecDeque::new(),
            contact: Contact::new(now),
            calls: FuturesUnordered::new(),
            made: false,
            lines: HashMap::new(),
            channels: HashMap::new(),
            due: VecDeque::new(),
            lingering: VecDeque::new(),
            backlog: VecDeque::new(),
            next_item: 0,
            followed: None,
            refused_at: None,
            obeyed: HashSet::new(),
            alive: Arc::default(),
            beat_at: now,
            renew_at: now,
            closing: None,
            timer: Box::pin(tokio::time::sleep(IDLE)),
        }
    }

    async fn run(mut self) {
        let end = poll_fn(|cx| self.guarded_turn(cx)).await;
        // The others will find out by themselves where this takes too long.
        let _ = timeout(FAREWELL, self.take_leave()).await;
        if let End::Drain { grace, spread } = end {
            self.local.tell_all(|| Command::Drain { grace, spread });
        }
    }

    /// One turn; after a panic all begins again, as after the loss of the connection.
    fn guarded_turn(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        catch_unwind(AssertUnwindSafe(|| self.turn(cx))).unwrap_or_else(|panic| {
            let panic = panic_message(&*panic);
            let message = format!("the cluster's thread failed and begins again: {panic}");
            self.local.notices.tell(Notice::Error { code: "CLUSTER_PANIC", message });
            self.begin_again();
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        self.errands.register(cx.waker());
        loop {
            if let Some(end) = self.run_errands() {
                return Poll::Ready(end);
            }
            // What is told comes before what is answered: an answer may rely on it.
            let told = self.take_told(cx);
            let mut answered = false;
            while let Poll::Ready(Some(answer)) = self.calls.poll_next_unpin(cx) {
                answered = true;
                self.take_answer(answer);
            }
            self.stay_in_contact(cx);
            self.on_time();
            if let Some(end) = self.closed() {
                return Poll::Ready(end);
            }
            self.call();
            // A call is sent when it is polled for the first time.
            if !(told || answered || std::mem::take(&mut self.made)) {
                break;
            }
        }
        self.arm(cx)
    }

    /// Sees to it that the next deadline is met.
    fn arm(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let deadlines = [
            Some(self.beat_at),
            Some(self.renew_at),
            self.lingering.front().map(|(at, _)| *at),
            self.closing.as_ref().map(|closing| closing.until),
            self.contact.deadline(),
        ];
        let now = Instant::now();
        let next = deadlines.into_iter().flatten().min().unwrap_or(now + IDLE);
        self.timer.as_mut().reset(next);
        if self.timer.as_mut().poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// The line of a topic, and that it may have something to do.
    fn line(&mut self, topic: &Topic) -> &mut Line {
        if !self.lines.contains_key(topic) {
            let keys = Keys::new(&self.prefix, self.address.db, topic);
            self.channels.insert(keys.channel.clone(), topic.clone());
            self.lines.insert(topic.clone(), Line::new(keys));
        }
        let line = self.lines.get_mut(topic).expect("the line was just made sure of");
        if !std::mem::replace(&mut line.listed, true) {
            self.due.push_back(topic.clone());
        }
        line
    }

    /// Looks again at a line, where there is one.
    fn enlist(&mut self, topic: &Topic) {
        if self.lines.contains_key(topic) {
            self.line(topic);
        }
    }

    /// Deadlines of lines and processes.
    fn on_time(&mut self) {
        let now = Instant::now();
        while self.lingering.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, topic)) = self.lingering.pop_front() {
                self.enlist(&topic);
            }
        }
        if now >= self.beat_at {
            self.beat_at = now + calls::BEAT;
            self.beat();
        }
        if now >= self.renew_at {
            self.renew_at = now + self.renewal();
            let used = self.lines.iter().filter(|(_, line)| line.members > 0);
            for topic in used.map(|(topic, _)| topic.clone()).collect::<Vec<_>>() {
                self.line(&topic).told = None;
            }
        }
    }

    /// The end of a close, when nothing is left to send, nobody is there to take it, or time is up.
    fn closed(&mut self) -> Option<End> {
        let closing = self.closing.as_ref()?;
        let in_vain = self.contact.is_away();
        let done =
            || self.lines.values().all(|line| line.queue.is_empty() && line.flight.is_empty());
        (in_vain || Instant::now() >= closing.until || done())
            .then_some(End::Drain { grace: closing.grace, spread: closing.spread })
    }

    /// This process is no part of the cluster any more, and its clients are not counted.
    async fn take_leave(&mut self) {
        let Some(link) = self.contact.link().filter(|_| self.contact.is_ready()).cloned() else {
            return;
        };
        let mut leave = redis::cmd("ZREM");
        leave.arg(self.processes()).arg(&*self.process);
        let told = self.lines.values().filter(|line| line.told != Some(0));
        let rooms = told.map(|line| {
            let mut uncount = redis::cmd("HDEL");
            uncount.arg(&line.keys.members).arg(&*self.process);
            uncount
        });
        let commands = rooms.chain([leave]).map(|command| link.ask(command));
        commands.collect::<FuturesUnordered<_>>().for_each(|_| std::future::ready(())).await;
    }

    /// Where the processes give their signs of life.
    fn processes(&self) -> String {
        format!("{}:processes", self.prefix)
    }
}
