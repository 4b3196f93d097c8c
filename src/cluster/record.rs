//! Updates as they stand in Redis and travel through it, in batches of one process. A message is the epoch, a space and a
//! batch; a history is batches. A batch is `first process count`, a line's end, and records; `first` is the number of the
//! first of its `count` updates. A record is `id at current max length`, a line's end, and the message to clients up to
//! its number: `id` is its number among those of the process, `at` is in microseconds since the Unix epoch, counts that it
//! does not have are `-`. With `!` for counts it is no update, has no number, and says that the room's members are to be
//! closed.

use std::str;
use std::sync::Arc;

use bytes::Bytes;

use super::line::{Item, Kind};
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

/// A batch up to the number of its first update, and how many updates it has.
pub(super) fn batch(process: &str, items: &[Item]) -> (Vec<u8>, usize) {
    let count = items.iter().filter(|item| item.kind != Kind::Close).count();
    let bytes: usize = items.iter().map(|item| item.head.len() + 64).sum();
    let mut out = Vec::with_capacity(bytes);
    out.extend_from_slice(format!("{process} {count}\n").as_bytes());
    for item in items {
        let number = |number| itoa::Buffer::new().format(number).to_owned();
        let none = if item.kind == Kind::Close { "!" } else { "-" };
        let (current, max) = item.counts.map_or_else(
            || (none.to_owned(), none.to_owned()),
            |counts| (number(counts.current), number(counts.max)),
        );
        let (id, at, length) = (number(item.id), number(item.at), number(item.head.len() as u64));
        for field in [&id, " ", &at, " ", &current, " ", &max, " ", &length, "\n"] {
            out.extend_from_slice(field.as_bytes());
        }
        out.extend_from_slice(&item.head);
    }
    (out, count)
}

/// What was told on a channel; none where it is not in this form.
pub(super) fn message(payload: Vec<u8>, process: &str) -> Option<(Arc<str>, Vec<Record>)> {
    let payload = Bytes::from(payload);
    let end = payload.iter().position(|byte| *byte == b' ')?;
    let epoch = str::from_utf8(&payload[..end]).ok()?.into();
    Some((epoch, records(&payload.slice(end + 1..), process)?))
}

/// One batch of a history.
pub(super) fn of_history(payload: Vec<u8>, process: &str) -> Option<Vec<Record>> {
    records(&payload.into(), process)
}

fn records(batch: &Bytes, process: &str) -> Option<Vec<Record>> {
    let (head, mut at) = line(batch, 0)?;
    let mut fields = head.split(' ');
    let mut seq: u64 = fields.next()?.parse().ok()?;
    let ours = fields.next()? == process;
    let mut records = Vec::with_capacity(fields.next()?.parse::<usize>().ok()?.min(batch.len()));
    while at < batch.len() {
        let (fields, start) = line(batch, at)?;
        let mut fields = fields.split(' ');
        let mut next = || fields.next();
        let (id, said) = (next()?.parse().ok()?, next()?.parse().ok()?);
        let (current, max) = (next()?, next()?);
        let end = start.checked_add(next()?.parse().ok()?).filter(|end| *end <= batch.len())?;
        let closes = current == "!";
        let counts = counts(current, max);
        let head = batch.slice(start..end);
        let numbered = Numbered { seq: if closes { 0 } else { seq }, at: said, counts, head };
        records.push(Record { numbered, own: ours.then_some(id), closes });
        seq += u64::from(!closes);
        at = end;
    }
    Some(records)
}

/// The line at `at`, and where the next one begins.
fn line(payload: &Bytes, at: usize) -> Option<(&str, usize)> {
    let rest = &payload[at..];
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    Some((str::from_utf8(&rest[..end]).ok()?, at + end + 1))
}

/// Counts as Redis holds them.
pub(super) fn counts(current: &str, max: &str) -> Option<Counts> {
    Some(Counts { current: current.parse().ok()?, max: max.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::line::Mode;

    fn item(kind: Kind, id: u64, counts: Option<Counts>, head: &'static str) -> Item {
        Item {
            kind,
            id,
            head: head.into(),
            counts,
            at: 1_700_000_000_000_000 + id,
            mode: Mode::First,
        }
    }

    #[test]
    fn what_is_sent_is_read() {
        let counts = Counts { current: 25, max: 50 };
        let items = [
            item(Kind::Update, 7, Some(counts), "{\"a\":\n"),
            item(Kind::Close, 8, None, ""),
            item(Kind::Update, 9, None, "{"),
        ];
        let (body, count) = batch("me", &items);
        assert_eq!(count, 2, "closing has no number");
        let text = [b"k3f9a2 42 ", &*body].concat();
        for (process, own) in [("me", [Some(7), Some(8), Some(9)]), ("you", [None; 3])] {
            let (epoch, records) = message(text.clone(), process).unwrap();
            assert_eq!(&*epoch, "k3f9a2");
            let seqs: Vec<_> = records.iter().map(|record| record.numbered.seq).collect();
            assert_eq!(seqs, [42, 0, 43]);
            let owns: Vec<_> = records.iter().map(|record| record.own).collect();
            assert_eq!(owns, own);
            assert_eq!(records[0].numbered.counts, Some(counts));
            assert_eq!(records[2].numbered.counts, None);
            assert_eq!(records[0].numbered.at, 1_700_000_000_000_007);
            assert_eq!(&*records[0].numbered.head, b"{\"a\":\n", "whatever stands in it");
            assert!(records[1].closes && !records[0].closes && !records[2].closes);
            let again = of_history([b"42 ", &*body].concat(), process).unwrap();
            assert_eq!(again, records);
        }
    }

    #[test]
    fn what_is_no_message_is_none() {
        for text in [
            "",
            "epoch",
            "epoch\nx",
            "epoch 1 me\n",
            "epoch x me 1\n",
            "epoch 1 me 1\n1 2 3\n",
            "epoch 1 me 1\n1 2 - - 5\nfour",
            "epoch 1 me 1\n-1 2 - - 0\n",
            "epoch 1 me 99999999999999999999\n",
        ] {
            assert_eq!(message(text.into(), "me"), None, "{text:?}");
        }
    }
}
