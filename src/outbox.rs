//! What waits to be written to one client, and its only writer, so that no two frames ever mix.
//!
//! Frames that have begun are finished. Behind them stand answers, which are never dropped, and room updates, which are
//! conflated once the backlog is over its limit.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::task::{Poll, ready};

use bytes::{Buf, Bytes};

use crate::frame;
use crate::room::Update;

/// Bytes merged into one write: past this a copy costs more than the system call that it saves.
pub(crate) const MERGE: usize = 64 * 1024;

/// Bytes of Pongs that leave together. Who pings more at once than any client has reason to is answered only for the
/// newest Ping (RFC 6455 §5.5.3 allows it for any two).
const PONGS: usize = 512;

#[derive(Debug)]
enum Item {
    Answer(Bytes),
    Update(Arc<Update>),
}

impl Item {
    fn frame(&self) -> &Bytes {
        match self {
            Self::Answer(frame) => frame,
            Self::Update(update) => &update.frame,
        }
    }
}

/// The queue of one connection. Most connections are idle most of the time: one that has nothing waiting costs a pointer.
#[derive(Debug, Default)]
pub struct Outbox(Option<Box<Waiting>>);

impl Outbox {
    fn waiting(&mut self) -> &mut Waiting {
        self.0.get_or_insert_default()
    }

    /// One that has the response to the handshake to write before anything else, as if that were a frame that has begun.
    pub fn behind(response: Bytes) -> Self {
        let bytes = response.len();
        Self(Some(Box::new(Waiting { begun: response, bytes, ..Waiting::default() })))
    }

    /// Bytes that wait.
    pub fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |waiting| waiting.bytes)
    }

    /// Nothing waits.
    pub fn is_empty(&self) -> bool {
        self.bytes() == 0
    }

    /// A frame has begun and not ended: nothing else may be written to the connection now.
    pub fn in_frame(&self) -> bool {
        self.0.as_ref().is_some_and(|waiting| !waiting.begun.is_empty())
    }

    /// Queues what must not be dropped: an answer, a Close.
    pub fn push_answer(&mut self, frame: Bytes) {
        self.waiting().push(Item::Answer(frame));
    }

    /// Queues an update.
    pub fn push_update(&mut self, update: Arc<Update>) {
        self.waiting().push(Item::Update(update));
    }

    /// Queues the answer to a Ping: in the place of those that still wait, where the peer does not take what it is sent
    /// or floods us.
    pub fn push_pong(&mut self, frame: Bytes) {
        self.waiting().push_pong(frame);
    }

    /// Queues what is left of updates of which `written` bytes are with the peer already; nothing else waits.
    pub fn push_rest(&mut self, updates: &[Arc<Update>], written: usize) {
        self.waiting().push_rest(updates, written);
    }

    /// Drops all that has not begun.
    pub fn abandon(&mut self) {
        if let Some(waiting) = &mut self.0 {
            waiting.abandon();
        }
    }

    /// Drops the updates of a room.
    pub fn discard(&mut self, room: u64) {
        if let Some(waiting) = &mut self.0 {
            waiting.retain(|item| !matches!(item, Item::Update(update) if update.room.key == room));
        }
    }

    /// Leaves of each room the newest update and the newest one that has counts. Returns how many went.
    pub fn conflate(&mut self) -> usize {
        self.0.as_mut().map_or(0, |waiting| waiting.conflate())
    }

    /// Writes until nothing waits or `write` takes no more.
    ///
    /// # Errors
    /// The writer's, and `WriteZero` where it took nothing of something.
    pub fn poll_flush(
        &mut self,
        merged: &mut Vec<u8>,
        write: impl FnMut(&[u8]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<()>> {
        let Some(waiting) = &mut self.0 else { return Poll::Ready(Ok(())) };
        let flushed = waiting.poll_flush(merged, write);
        if waiting.bytes == 0 {
            self.0 = None;
        }
        flushed
    }
}

/// What waits.
#[derive(Debug, Default)]
struct Waiting {
    /// The rest of a frame of which the peer has a part.
    begun: Bytes,
    /// The answers to Pings that came together.
    pongs: Vec<u8>,
    /// The peer did not take all that was written last: of the Pings that come now the newest counts.
    full: bool,
    queue: VecDeque<Item>,
    bytes: usize,
}

impl Waiting {
    fn push(&mut self, item: Item) {
        self.bytes += item.frame().len();
        self.queue.push_back(item);
    }

    fn push_pong(&mut self, frame: Bytes) {
        if self.full || self.pongs.len() + frame.len() > PONGS {
            self.bytes -= self.pongs.len();
            self.pongs.clear();
        }
        self.bytes += frame.len();
        self.pongs.extend_from_slice(&frame);
    }

    fn push_rest(&mut self, updates: &[Arc<Update>], mut written: usize) {
        for update in updates {
            let length = update.frame.len();
            if written >= length {
                written -= length;
            } else if written > 0 {
                self.begun = update.frame.slice(written..);
                self.bytes += self.begun.len();
                written = 0;
            } else {
                self.push(Item::Update(update.clone()));
            }
        }
    }

    fn abandon(&mut self) {
        self.queue = VecDeque::new();
        self.pongs = Vec::new();
        self.bytes = self.begun.len();
    }

    fn retain(&mut self, mut keep: impl FnMut(&Item) -> bool) {
        let bytes = &mut self.bytes;
        self.queue.retain(|item| {
            let keep = keep(item);
            if !keep {
                *bytes -= item.frame().len();
            }
            keep
        });
    }

    fn conflate(&mut self) -> usize {
        // From the newest to the oldest: of each room, whether counts were seen.
        let mut rooms: HashMap<u64, bool> = HashMap::new();
        let mut keep: Vec<bool> = Vec::with_capacity(self.queue.len());
        for item in self.queue.iter().rev() {
            keep.push(match item {
                Item::Answer(_) => true,
                Item::Update(update) => match rooms.get_mut(&update.room.key) {
                    None => {
                        rooms.insert(update.room.key, update.has_counts);
                        true
                    }
                    Some(counts) => {
                        !std::mem::replace(counts, *counts || update.has_counts)
                            && update.has_counts
                    }
                },
            });
        }
        let before = self.queue.len();
        // A new epoch that went with the update which said it is said by the next one that stays.
        let mut unsaid: HashMap<u64, Arc<str>> = HashMap::new();
        let mut kept = VecDeque::with_capacity(rooms.len() * 2);
        for (item, keep) in std::mem::take(&mut self.queue).into_iter().zip(keep.into_iter().rev())
        {
            match item {
                Item::Update(update) if !keep => {
                    self.bytes -= update.frame.len();
                    if let Some(epoch) = &update.announces {
                        unsaid.insert(update.room.key, epoch.clone());
                    }
                }
                Item::Update(update) => {
                    let said = update.announces.is_some();
                    let epoch = unsaid.remove(&update.room.key).filter(|_| !said);
                    let update = epoch.map_or_else(
                        || update.clone(),
                        |epoch| announcing(&update, &epoch, &mut self.bytes),
                    );
                    kept.push_back(Item::Update(update));
                }
                answer @ Item::Answer(_) => kept.push_back(answer),
            }
        }
        self.queue = kept;
        before - self.queue.len()
    }

    fn poll_flush(
        &mut self,
        merged: &mut Vec<u8>,
        mut write: impl FnMut(&[u8]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<()>> {
        while self.bytes > 0 {
            let single = match (self.begun.is_empty(), self.pongs.is_empty(), self.queue.front()) {
                (false, true, None) => Some(&*self.begun),
                (true, false, None) => Some(&*self.pongs),
                (true, true, Some(item))
                    if self.queue.len() == 1 || item.frame().len() >= MERGE =>
                {
                    Some(&**item.frame())
                }
                _ => None,
            };
            let bytes = single.unwrap_or_else(|| self.merge(merged));
            let written = write(bytes);
            self.full = written.is_pending();
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.advance(count),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn merge<'a>(&self, merged: &'a mut Vec<u8>) -> &'a [u8] {
        merged.clear();
        merged.extend_from_slice(&self.begun);
        merged.extend_from_slice(&self.pongs);
        for item in &self.queue {
            if merged.len() + item.frame().len() > MERGE && !merged.is_empty() {
                break;
            }
            merged.extend_from_slice(item.frame());
        }
        merged
    }

    fn advance(&mut self, mut count: usize) {
        self.bytes -= count;
        loop {
            let step = count.min(self.begun.len());
            self.begun.advance(step);
            count -= step;
            if count == 0 {
                break;
            }
            self.begun = if self.pongs.is_empty() {
                self.queue.pop_front().map(|item| item.frame().clone()).unwrap_or_default()
            } else {
                std::mem::take(&mut self.pongs).into()
            };
        }
    }
}

/// The same update, saying the epoch too.
fn announcing(update: &Update, epoch: &Arc<str>, bytes: &mut usize) -> Arc<Update> {
    let frame = frame::append_field(&update.frame, "epoch", epoch);
    *bytes += frame.len() - update.frame.len();
    Arc::new(Update {
        room: update.room.clone(),
        ordinal: update.ordinal,
        seq: update.seq,
        has_counts: update.has_counts,
        announces: Some(epoch.clone()),
        at: update.at,
        frame,
    })
}

#[cfg(test)]
mod tests;
