//! An outbox over a writer that takes what the test lets it.

use std::io;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use serde_json::Value;
use tokio::time::Instant;

use super::{Outbox, PONGS};
use crate::frame;
use crate::room::{Room, Update};
use crate::room_id::RoomId;

fn room(key: u64) -> Arc<Room> {
    let id = RoomId::Number(key);
    Arc::new(Room { key, id })
}

fn update(room: &Arc<Room>, seq: u64, has_counts: bool, announces: Option<&str>) -> Arc<Update> {
    let epoch = announces.map_or_else(String::new, |epoch| format!(r#","epoch":"{epoch}""#));
    let text = format!(r#"{{"room":{},"seq":{seq}{epoch}}}"#, room.key);
    Arc::new(Update {
        room: room.clone(),
        ordinal: seq,
        seq,
        has_counts,
        announces: announces.map(Into::into),
        at: Instant::now(),
        frame: frame::text(text.as_bytes()),
    })
}

/// Writes at most `each` bytes at a time until the outbox is empty; returns them all.
fn drain(outbox: &mut Outbox, each: usize) -> Vec<u8> {
    let (mut merged, mut sent) = (Vec::new(), Vec::new());
    let flushed = outbox.poll_flush(&mut merged, |bytes| {
        let count = bytes.len().min(each);
        sent.extend_from_slice(&bytes[..count]);
        Poll::Ready(Ok(count))
    });
    assert!(matches!(flushed, Poll::Ready(Ok(()))));
    assert!(outbox.is_empty() && outbox.bytes() == 0 && !outbox.in_frame());
    sent
}

/// Writes just `count` bytes.
fn write(outbox: &mut Outbox, mut count: usize) {
    let flushed = outbox.poll_flush(&mut Vec::new(), |bytes| match bytes.len().min(count) {
        0 => Poll::Pending,
        taken => {
            count -= taken;
            Poll::Ready(Ok(taken))
        }
    });
    assert!(flushed.is_pending());
}

/// (room, seq, epoch said) of each text frame.
fn told(mut bytes: &[u8]) -> Vec<(u64, u64, Option<String>)> {
    let mut told = Vec::new();
    while let [_, length, rest @ ..] = bytes {
        let (payload, rest) = rest.split_at(usize::from(*length));
        let value: Value = serde_json::from_slice(payload).unwrap();
        let number = |name: &str| value[name].as_u64().unwrap();
        told.push((number("room"), number("seq"), value["epoch"].as_str().map(str::to_owned)));
        bytes = rest;
    }
    told
}

fn numbers(bytes: &[u8]) -> Vec<(u64, u64)> {
    told(bytes).into_iter().map(|(room, seq, _)| (room, seq)).collect()
}

#[test]
fn frames_leave_whole_and_in_order_however_little_is_taken() {
    let room = room(1);
    for each in [1, 2, 7, 100, usize::MAX] {
        let mut outbox = Outbox::default();
        (1..=9).for_each(|seq| outbox.push_update(update(&room, seq, true, None)));
        let sent = drain(&mut outbox, each);
        assert_eq!(numbers(&sent), (1..=9).map(|seq| (1, seq)).collect::<Vec<_>>());
    }
}

#[test]
fn a_pong_goes_between_frames_and_the_newest_alone() {
    let mut outbox = Outbox::default();
    outbox.push_answer(frame::text(b"first"));
    outbox.push_answer(frame::text(b"second"));
    write(&mut outbox, 3);
    assert!(outbox.in_frame());
    for payload in 0..100u8 {
        outbox.push_pong(frame::pong(&[payload]));
    }
    let rest = drain(&mut outbox, usize::MAX);
    let expected =
        [&frame::text(b"first")[3..], &frame::pong(&[99]), &frame::text(b"second")].concat();
    assert_eq!(rest, expected);
}

#[test]
fn nothing_goes_before_the_response_to_the_handshake() {
    let room = room(1);
    let response = Bytes::from_static(b"HTTP/1.1 101 ");
    let mut outbox = Outbox::behind(response.clone());
    assert!(outbox.in_frame(), "not even a Close for a fault of ours");
    let update = update(&room, 1, true, None);
    outbox.push_update(update.clone());
    outbox.push_pong(frame::pong(b"p"));
    let sent = drain(&mut outbox, 1);
    assert_eq!(sent, [&*response, &frame::pong(b"p"), &update.frame].concat());
}

#[test]
fn pongs_that_wait_for_nobody_all_leave_in_their_order() {
    let pongs: Vec<Bytes> = (0..10u8).map(|payload| frame::pong(&[payload])).collect();
    for each in [1, 2, 7, usize::MAX] {
        let mut outbox = Outbox::default();
        outbox.push_answer(frame::text(b"answer"));
        pongs.iter().for_each(|pong| outbox.push_pong(pong.clone()));
        assert_eq!(outbox.bytes(), 8 + 10 * 3);
        assert_eq!(
            drain(&mut outbox, each),
            [&pongs.concat(), &frame::text(b"answer")[..]].concat()
        );
    }
}

#[test]
fn a_flood_of_pings_is_answered_for_the_newest() {
    let mut outbox = Outbox::default();
    for payload in 0..100u8 {
        outbox.push_pong(frame::pong(&[payload; 125]));
        assert!(outbox.bytes() <= PONGS);
    }
    let sent = drain(&mut outbox, usize::MAX);
    assert!(sent.ends_with(&frame::pong(&[99; 125])));
}

#[test]
fn conflation_keeps_the_newest_and_the_newest_counts_of_each_room_in_their_order() {
    let (one, two) = (room(1), room(2));
    let mut outbox = Outbox::default();
    outbox.push_update(update(&one, 1, true, None));
    outbox.push_update(update(&two, 2, true, None));
    outbox.push_update(update(&one, 3, true, None));
    outbox.push_update(update(&one, 4, false, None));
    outbox.push_update(update(&two, 5, true, None));
    outbox.push_update(update(&one, 6, false, None));
    assert_eq!(outbox.conflate(), 3);
    assert_eq!(numbers(&drain(&mut outbox, 5)), [(1, 3), (2, 5), (1, 6)]);
}

#[test]
fn conflation_leaves_answers_and_what_has_begun() {
    let room = room(1);
    let begun = update(&room, 1, true, None);
    let mut outbox = Outbox::default();
    outbox.push_update(begun.clone());
    write(&mut outbox, 4);
    outbox.push_answer(frame::text(br#"{"room":0,"seq":0}"#));
    outbox.push_update(update(&room, 2, true, None));
    outbox.push_answer(frame::text(br#"{"room":0,"seq":1}"#));
    outbox.push_update(update(&room, 3, true, None));
    assert_eq!(outbox.conflate(), 1);
    let sent = [&begun.frame[..4], &drain(&mut outbox, 9)].concat();
    assert_eq!(numbers(&sent), [(1, 1), (0, 0), (0, 1), (1, 3)]);
}

#[test]
fn a_new_epoch_is_said_though_the_update_that_said_it_goes() {
    let (one, two) = (room(1), room(2));
    let mut outbox = Outbox::default();
    outbox.push_update(update(&one, 1, true, Some("old")));
    outbox.push_update(update(&one, 1, true, Some("new")));
    outbox.push_update(update(&two, 7, true, None));
    outbox.push_update(update(&one, 2, true, None));
    outbox.push_update(update(&one, 3, false, None));
    assert_eq!(outbox.conflate(), 2);
    let before = outbox.bytes();
    let sent = drain(&mut outbox, usize::MAX);
    assert_eq!(before, sent.len(), "the bytes that wait are counted right");
    assert_eq!(told(&sent), [(2, 7, None), (1, 2, Some("new".into())), (1, 3, None)]);
}

#[test]
fn leaving_discards_the_rooms_updates_and_nothing_else() {
    let (one, two) = (room(1), room(2));
    let mut outbox = Outbox::default();
    outbox.push_update(update(&one, 1, true, None));
    outbox.push_answer(frame::text(br#"{"room":0,"seq":0}"#));
    outbox.push_update(update(&two, 2, true, None));
    outbox.discard(1);
    assert_eq!(numbers(&drain(&mut outbox, 3)), [(0, 0), (2, 2)]);
}

#[test]
fn the_rest_of_a_direct_write_is_queued_from_where_it_stopped() {
    let room = room(1);
    let updates: Vec<_> = (1..=3).map(|seq| update(&room, seq, true, None)).collect();
    let all = updates.iter().map(|update| &*update.frame).collect::<Vec<_>>().concat();
    for written in 0..all.len() {
        let mut outbox = Outbox::default();
        outbox.push_rest(&updates, written);
        assert_eq!(outbox.bytes(), all.len() - written);
        assert_eq!(drain(&mut outbox, usize::MAX), all[written..], "after {written} bytes");
    }
}

#[test]
fn what_is_abandoned_ends_behind_the_frame_that_has_begun() {
    let room = room(1);
    let begun = update(&room, 1, true, None);
    let mut outbox = Outbox::default();
    outbox.push_update(begun.clone());
    write(&mut outbox, 5);
    outbox.push_update(update(&room, 2, true, None));
    outbox.push_pong(frame::pong(b"x"));
    outbox.abandon();
    outbox.push_answer(Bytes::from_static(b"close"));
    assert_eq!(drain(&mut outbox, usize::MAX), [&begun.frame[5..], b"close"].concat());
}

#[test]
fn a_writer_that_takes_nothing_of_something_is_an_error() {
    let mut outbox = Outbox::default();
    outbox.push_answer(frame::text(b"x"));
    let flushed = outbox.poll_flush(&mut Vec::new(), |_| Poll::Ready(Ok(0)));
    assert!(matches!(flushed, Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::WriteZero));
}
