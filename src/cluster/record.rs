//! Updates as they stand in Redis and travel through it. A message is the epoch and records; a record is
//! `seq at id current max length`, a line's end, and the message to clients up to its number. Counts that it does not
//! have are `-`; with `!` it is no update, has no number (0), and says that the room's members are to be closed; `at` is in microseconds since the Unix epoch; `id` is `process.number`, unique for ever.

use std::str;
use std::sync::Arc;

use bytes::Bytes;

use crate::room::Numbered;
use crate::update::Counts;

/// One update of one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) numbered: Numbered,
    /// Its number among those of this process; none where it is another's.
    pub(super) own: Option<u64>,
    /// It is no update: the room's members are to be closed.
    pub(super) closes: bool,
}

/// What was told on a channel; none where it is not in this form.
pub(super) fn message(payload: Vec<u8>, process: &str) -> Option<(Arc<str>, Vec<Record>)> {
    let payload = Bytes::from(payload);
    let (epoch, mut at) = line(&payload, 0)?;
    let mut records = Vec::new();
    while at < payload.len() {
        let (record, end) = record(&payload, at, process)?;
        records.push(record);
        at = end;
    }
    Some((epoch.into(), records))
}

/// One record of a history.
pub(super) fn single(payload: Vec<u8>, process: &str) -> Option<Record> {
    let payload = Bytes::from(payload);
    let (record, end) = record(&payload, 0, process)?;
    (end == payload.len()).then_some(record)
}

/// The line at `at`, and where the next one begins.
fn line(payload: &Bytes, at: usize) -> Option<(&str, usize)> {
    let rest = &payload[at..];
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    Some((str::from_utf8(&rest[..end]).ok()?, at + end + 1))
}

fn record(payload: &Bytes, at: usize, process: &str) -> Option<(Record, usize)> {
    let (fields, start) = line(payload, at)?;
    let mut fields = fields.split(' ');
    let mut next = || fields.next();
    let (seq, said, id) = (next()?.parse().ok()?, next()?.parse().ok()?, next()?);
    let (current, max) = (next()?, next()?);
    let (counts, closes) = (counts(current, max), current == "!");
    let end = start.checked_add(next()?.parse().ok()?).filter(|end| *end <= payload.len())?;
    let own = id.split_once('.').filter(|(from, _)| *from == process);
    let own = own.and_then(|(_, number)| number.parse().ok());
    let head = payload.slice(start..end);
    Some((Record { numbered: Numbered { seq, at: said, counts, head }, own, closes }, end))
}

/// Counts as Redis holds them.
pub(super) fn counts(current: &str, max: &str) -> Option<Counts> {
    Some(Counts { current: current.parse().ok()?, max: max.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read() {
        let text =
            "k3f9a2\n42 1700000000000001 me.7 25 50 6\n{\"a\":\n43 1700000000000002 you.1 - - 1\n{";
        let (epoch, records) = message(text.into(), "me").unwrap();
        assert_eq!(&*epoch, "k3f9a2");
        let [first, second] = &*records else { panic!("two") };
        assert_eq!((first.own, second.own), (Some(7), None));
        assert_eq!((first.numbered.seq, second.numbered.seq), (42, 43));
        assert_eq!(first.numbered.at, 1_700_000_000_000_001);
        assert_eq!(first.numbered.counts, Some(Counts { current: 25, max: 50 }));
        assert_eq!(second.numbered.counts, None);
        let (_, records) = message("k3f9a2\n0 1 me.8 ! ! 0\n".into(), "me").unwrap();
        assert!(records[0].closes && !first.closes && !second.closes);
        assert_eq!(&*first.numbered.head, b"{\"a\":\n", "whatever stands in it");
        assert_eq!(&*second.numbered.head, b"{");
    }

    #[test]
    fn what_is_no_message_is_none() {
        for text in [
            "",
            "epoch",
            "epoch\nx",
            "epoch\n1 2 3\n",
            "epoch\n1 2 a.1 - - 5\nfour",
            "epoch\n-1 2 a.1 - - 0\n",
        ] {
            assert_eq!(message(text.into(), "me"), None, "{text:?}");
        }
        assert_eq!(single("1 2 a.1 - - 1\n{}".into(), "me"), None, "something stands behind it");
    }
}
