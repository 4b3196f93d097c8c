//! Whether a shard has to be woken for an update or will look by itself.
//!
//! To wake a thread that sleeps costs the waker and the woken some tens of microseconds together, which is more than the
//! writes of a small room. So a shard that has more to do says that it will look anyway, and one that was woken again and
//! again in short time rests between two looks instead of being woken for each: what network drivers do with their
//! interrupts under load (Linux: NAPI). An update waits for [`REST`] at most then, and those that have come meanwhile
//! leave together. A hub that is quiet is woken at once.

use std::time::Duration;

use tokio::time::Instant;

/// Between two looks of a shard that is not woken.
const REST: Duration = Duration::from_millis(4);
/// Wake-ups in a row, none later than [`REST`] after the one before, from which on a shard is not woken any more.
const QUICK: u32 = 4;

/// How often a shard was woken lately.
#[derive(Debug, Default)]
pub(super) struct Pace {
    woken_at: Option<Instant>,
    quick: u32,
    look_at: Option<Instant>,
}

impl Pace {
    /// When the shard is to look next, where it is not woken.
    pub(super) fn look_at(&self) -> Option<Instant> {
        self.look_at
    }

    /// The shard has looked: it was `woken`, whether for an update or for what cannot wait, or not, and there was
    /// something, or not.
    pub(super) fn looked(&mut self, woken: bool, found: bool, now: Instant) {
        if woken {
            let quick = self.woken_at.is_some_and(|before| now.duration_since(before) <= REST);
            self.quick = if quick { self.quick + 1 } else { 0 };
            self.woken_at = Some(now);
        }
        self.look_at = match self.look_at {
            Some(_) if found => Some(now + REST),
            Some(at) if now < at => Some(at),
            Some(_) => None,
            None => (self.quick >= QUICK).then(|| now + REST),
        };
        if self.look_at.is_some() {
            self.quick = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn busy(start: Instant) -> (Pace, Instant) {
        let mut pace = Pace::default();
        let mut now = start;
        while pace.look_at().is_none() {
            now += MS;
            pace.looked(true, true, now);
        }
        (pace, now)
    }

    #[test]
    fn updates_far_apart_wake_each_time() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        for _ in 0..100 {
            now += REST + MS;
            pace.looked(true, true, now);
            assert_eq!(pace.look_at(), None);
        }
    }

    #[test]
    fn updates_close_together_are_looked_for() {
        let start = Instant::now();
        let (pace, now) = busy(start);
        assert_eq!(now, start + MS * (QUICK + 1), "the first is no second one");
        assert_eq!(pace.look_at(), Some(now + REST));
    }

    #[test]
    fn a_look_in_vain_ends_it() {
        let (mut pace, now) = busy(Instant::now());
        pace.looked(false, true, now + MS);
        assert_eq!(pace.look_at(), Some(now + MS + REST));
        pace.looked(false, false, now + MS + MS);
        assert_eq!(pace.look_at(), Some(now + MS + REST), "it is not time yet");
        pace.looked(false, false, now + MS + REST);
        assert_eq!(pace.look_at(), None);
        pace.looked(true, true, now + MS + REST + MS);
        assert_eq!(pace.look_at(), None, "one wake-up alone begins nothing");
    }
}
