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
    /// Set while messages are dropped.
    over: Option<Box<Over>>,
}

#[derive(Debug)]
struct Over {
    since: Instant,
    messages: f64,
    answered: Option<Instant>,
}

impl Rate {
    /// Takes one message into account.
    pub fn take(&mut self, now: Instant, per_second: f64, burst: f64) -> Pace {
        let full_at = self.full_at.filter(|full_at| *full_at > now).unwrap_or(now);
        if full_at == now {
            // Whatever there was before is over.
            self.over = None;
        }
        let token = Duration::from_secs_f64(1.0 / per_second);
        let fine = full_at + token <= now + Duration::from_secs_f64(burst / per_second);
        if fine {
            self.full_at = Some(full_at + token);
        }
        let over = match &mut self.over {
            None if fine => return Pace::Fine,
            over => over.get_or_insert_with(|| {
                Box::new(Over { since: now, messages: 0.0, answered: None })
            }),
        };
        over.messages += 1.0;
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
}
