//! A hub whose threads are played.
//!
//! The shards are polled here, one turn at a time, under a clock that stands still until it is told to go on. So a run
//! is repeated by its input alone, a minute of waiting costs nothing, and which shard goes on next is for the input to
//! say. A shard has a turn only where something has woken it: a wake-up that is lost shows as an answer that never comes.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use roomcast::hub::Hub;
use roomcast::notice::{Notice, Notices};
use roomcast::options::Options;
use roomcast::shard;
use tokio::runtime::{Builder, Runtime};

/// More turns in a row than any work here takes: shards that go on then are turning in circles.
const TURNS: usize = 20_000;

thread_local! {
    static RUNTIME: RefCell<Runtime> = RefCell::new(
        Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a fuzz target that has no descriptor left cannot go on"),
    );
}

/// Runs a scene to its end with the clock held.
pub fn play(scene: impl Future<Output = ()>) {
    RUNTIME.with_borrow(|runtime| runtime.block_on(scene));
}

/// A hub with its shards.
pub struct Stage {
    /// The hub.
    pub hub: Hub,
    shards: Vec<Player>,
    heard: Arc<Heard>,
}

struct Player {
    /// None once it has ended.
    shard: Option<Pin<Box<dyn Future<Output = ()>>>>,
    call: Arc<Call>,
    waker: Waker,
}

/// Whether a shard has been woken.
struct Call(AtomicBool);

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What the hub has told.
#[derive(Default)]
struct Heard(Mutex<Vec<Notice>>);

impl Notices for Heard {
    fn tell(&self, notice: Notice) {
        if let Notice::Error { code, message } = &notice {
            panic!("a fault of the hub: {code}, {message}");
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(notice);
    }

    fn wants(&self, _: u32) -> bool {
        true
    }
}

impl Stage {
    /// Opens a hub. To be called within [`play`].
    pub fn open(options: Options) -> Self {
        let heard = Arc::new(Heard::default());
        let mut shards = Vec::new();
        let hub = Hub::open_with(options, heard.clone(), |parts| {
            let call = Arc::new(Call(AtomicBool::new(true)));
            let waker = call.clone().into();
            shards.push(Player { shard: Some(Box::pin(shard::run(parts)?)), call, waker });
            Ok(None)
        });
        let hub = hub.expect("a fuzz target that has no descriptor left cannot go on");
        Self { hub, shards, heard }
    }

    /// How many shards there are.
    pub fn shards(&self) -> usize {
        self.shards.len()
    }

    /// Whether all of them have ended.
    pub fn is_over(&self) -> bool {
        self.shards.iter().all(|player| player.shard.is_none())
    }

    /// Lets a shard have a turn. False where nothing has woken it, or it has ended.
    pub fn turn(&mut self, shard: usize) -> bool {
        let player = &mut self.shards[shard];
        if !player.call.0.swap(false, Ordering::Relaxed) {
            return false;
        }
        let Some(shard) = &mut player.shard else { return false };
        if shard.as_mut().poll(&mut Context::from_waker(&player.waker)).is_ready() {
            player.shard = None;
        }
        true
    }

    /// Lets the shards have turns until all of them sleep. `each` is called after every turn, and says whether it has
    /// done something that may wake them.
    pub fn settle(&mut self, mut each: impl FnMut(&mut Self) -> bool) {
        for _ in 0..TURNS {
            let mut busy = false;
            for shard in 0..self.shards() {
                busy |= self.turn(shard);
                busy |= each(self);
            }
            if !busy {
                return;
            }
        }
        panic!("the shards never come to rest");
    }

    /// Lets the clock go on.
    pub async fn pass(&self, time: Duration) {
        tokio::time::advance(time).await;
    }

    /// What the hub has told since the last call.
    pub fn heard(&self) -> Vec<Notice> {
        std::mem::take(&mut self.heard.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
