//! One connection's message rate: a token bucket, and the patience with who goes on over it.

use std::time::Duration;

use tokio::time::Instant;

/// Time over which a client that sends more than twice its rate is borne with.
const PATIENCE: Duration = Duration::from_secs(5);
/// A dropped message is answered at most this often.
const ANSWER_EVERY: Duration = Duration::from_secs(1);

/// What becomes of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Within the rate.
    Fine,
    /// To be dropped; `answer`: with an answer that says so.
    Over {
        /// No such answer has been given for a second.
        answer: bool,
    },
    /// More than twice the rate for 5 s: the connection is to be closed.
    Flood,
}

/// The bucket of one connection, as the generic cell rate algorithm keeps it: in one point in time.
#[derive(Debug, Default)]
pub struct Rate {
    /// When the bucket is full again.
    full_at: Option<Instant>,
    /// Set from the first message that is dropped until the client has been silent for [`PATIENCE`].
    over: Option<Box<Over>>,
}

#[derive(Debug)]
struct Over {
    /// What has come since then, dropped or not.
    since: Instant,
    messages: f64,
    /// When the newest of it came.
    newest: Instant,
    answered: Option<Instant>,
}

impl Rate {
    /// Takes one message into account.
    pub fn take(&mut self, now: Instant, per_second: f64, burst: f64) -> Pace {
        let full_at = self.full_at.filter(|full_at| *full_at > now).unwrap_or(now);
        // A full bucket alone forgives nothing: a small one is full again after a moment, and a flood with such pauses in
        // it is one.
        self.over.take_if(|over| now.saturating_duration_since(over.newest) >= PATIENCE);
        let token = Duration::from_secs_f64(1.0 / per_second);
        let fine = full_at + token <= now + Duration::from_secs_f64(burst / per_second);
        if fine {
            self.full_at = Some(full_at + token);
        }
        let over = match &mut self.over {
            None if fine => return Pace::Fine,
            over => over.get_or_insert_with(|| {
                Box::new(Over { since: now, messages: 0.0, newest: now, answered: None })
            }),
        };
        (over.messages, over.newest) = (over.messages + 1.0, now);
        let window = now.saturating_duration_since(over.since);
        if window >= PATIENCE {
            if over.messages > 2.0 * per_second * window.as_secs_f64() {
                return Pace::Flood;
            }
            (over.since, over.messages) = (now, 0.0);
        }
        if fine {
            return Pace::Fine;
        }
        let answer = over
            .answered
            .is_none_or(|answered| now.saturating_duration_since(answered) >= ANSWER_EVERY);
        if answer {
            over.answered = Some(now);
        }
        Pace::Over { answer }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(per_second: u32, seconds: u32) -> (u32, u32, bool) {
        let (mut rate, start) = (Rate::default(), Instant::now());
        let (mut dropped, mut answers) = (0, 0);
        for message in 0..per_second * seconds {
            match rate.take(start + Duration::from_secs(1) / per_second * message, 20.0, 200.0) {
                Pace::Fine => {}
                Pace::Over { answer } => {
                    (dropped, answers) = (dropped + 1, answers + u32::from(answer))
                }
                Pace::Flood => return (dropped, answers, true),
            }
        }
        (dropped, answers, false)
    }

    #[test]
    fn the_rate_itself_is_never_over() {
        assert_eq!(run(20, 600), (0, 0, false));
    }

    #[test]
    fn a_burst_is_taken_and_no_more() {
        let (mut rate, now) = (Rate::default(), Instant::now());
        assert!((0..200).all(|_| rate.take(now, 20.0, 200.0) == Pace::Fine));
        assert_eq!(rate.take(now, 20.0, 200.0), Pace::Over { answer: true });
        assert_eq!(rate.take(now, 20.0, 200.0), Pace::Over { answer: false });
        let later = now + Duration::from_millis(50);
        assert_eq!(
            rate.take(later, 20.0, 200.0),
            Pace::Fine,
            "a token came back after a twentieth of a second"
        );
    }

    #[test]
    fn somewhat_over_is_dropped_and_answered_once_a_second() {
        let (dropped, answers, flood) = run(30, 60);
        assert!(!flood);
        assert!((390..=410).contains(&dropped), "a third of 1 800, less the burst: {dropped}");
        assert!((30..=40).contains(&answers), "{answers}");
    }

    #[test]
    fn more_than_twice_the_rate_is_a_flood() {
        assert!(run(45, 60).2);
        assert!(run(1_000, 10).2);
        assert!(!run(39, 60).2);
    }

    /// Sends `messages` at once every `every` for a minute; gives the answers and how long it was borne with.
    fn bursts(messages: u32, every: Duration) -> (u32, Option<Duration>) {
        // A bucket that is full again after a hundredth of a second.
        let (mut rate, start, mut answers) = (Rate::default(), Instant::now(), 0);
        for burst in 0.. {
            let at = every * burst;
            if at > Duration::from_secs(60) {
                break;
            }
            for _ in 0..messages {
                match rate.take(start + at, 1_000.0, 10.0) {
                    Pace::Fine => {}
                    Pace::Over { answer } => answers += u32::from(answer),
                    Pace::Flood => return (answers, Some(at)),
                }
            }
        }
        (answers, None)
    }

    #[test]
    fn pauses_that_fill_the_bucket_do_not_hide_a_flood() {
        let (answers, flood) = bursts(1_000, Duration::from_millis(100));
        assert_eq!(flood, Some(PATIENCE));
        assert_eq!(answers, 5, "one a second");
        let (answers, flood) = bursts(150, Duration::from_millis(100));
        assert_eq!(
            (answers, flood),
            (61, None),
            "one and a half times the rate, answered once a second"
        );
    }

    #[test]
    fn a_silence_is_a_fresh_start() {
        assert_eq!(bursts(100_000, PATIENCE), (13, None));
    }
}
