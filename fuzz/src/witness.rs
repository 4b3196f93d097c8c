//! What one client has been told, held against the protocol's rules (docs/protocol.md).

use std::collections::{HashMap, VecDeque};

use roomcast::room_id::RoomId;
use serde_json::Value;

use crate::truth::{PLACES, Truth};
use crate::wire::Said;

/// What a client has asked, and is yet to be answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// `JOIN_ROOM`, with `lastSeq` and `epoch` where both were sent.
    Join(RoomId, Option<(u64, String)>),
    /// `LEAVE_ROOM`.
    Leave(RoomId),
    /// `GET_ROOM_STATUS`.
    Status(RoomId),
    /// `PING`.
    Ping,
    /// No action that there is.
    Nonsense,
}

/// Where a client stands in a room that it is in.
#[derive(Debug)]
struct Stand {
    epoch: String,
    seq: u64,
    /// The number behind which it was to be told everything.
    base: u64,
    /// It is to be told the room's state before anything else.
    snapshot_due: bool,
    /// Updates are missing before its last ROOM_JOINED. Only leaving the room, which discards what is queued of it, can
    /// have been the reason: nothing more may come of the room before it is told of that.
    lost: bool,
    /// The mark of the newest update.
    newest: u64,
    /// The mark of the newest counts.
    counts: u64,
}

/// What a client was told of a room last, which it may say when it comes back.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// `epoch`.
    pub epoch: String,
    /// `seq`.
    pub seq: u64,
}

/// The rules of the hub that a witness has to know.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Updates held per room.
    pub history: u64,
    /// Rooms that one client may be in.
    pub rooms: usize,
    /// Clients at the most.
    pub clients: u64,
}

/// One client's record.
#[derive(Debug)]
pub struct Witness {
    /// What it is yet to be answered.
    pub asked: VecDeque<Ask>,
    /// It may have been told less than all: its backlog can have been conflated.
    pub lossy: bool,
    /// The code of the Close frame that it was sent, 1005 for none.
    pub closed: Option<u16>,
    /// What it saw last of each room, on this connection.
    pub seen: HashMap<RoomId, Seen>,
    /// Rooms that the bot may have taken it out of without its asking.
    pub removed: HashMap<RoomId, u32>,
    user: String,
    rules: Rules,
    /// Updates may be missing in what it is told just now.
    gaps: bool,
    greeted: bool,
    stands: HashMap<RoomId, Stand>,
}

impl Witness {
    /// A client that has told nobody anything yet.
    pub fn new(user: String, rules: Rules) -> Self {
        Self {
            asked: VecDeque::new(),
            lossy: false,
            closed: None,
            seen: HashMap::new(),
            removed: HashMap::new(),
            user,
            rules,
            gaps: false,
            greeted: false,
            stands: HashMap::new(),
        }
    }

    /// Whether it is in a room, as far as it was told.
    pub fn is_in(&self, room: &RoomId) -> bool {
        self.stands.contains_key(room)
    }

    /// Takes in what it was told. `conflated`: the hub has conflated somebody's backlog.
    ///
    /// # Panics
    /// Where that breaks a rule.
    pub fn hear(&mut self, said: &Said, truth: &mut Truth, conflated: bool) {
        assert!(self.closed.is_none(), "{said:?} behind a Close frame");
        match said {
            Said::Message(kind, message) => {
                self.gaps = self.lossy && conflated;
                self.message(kind, message, truth);
            }
            Said::Close(code) => {
                self.closed = Some(code.unwrap_or(1005));
                self.stands.clear();
            }
            Said::Ping => {}
            Said::Pong(_) => panic!("nobody has sent a Ping"),
        }
    }

    fn message(&mut self, kind: &str, message: &Value, truth: &mut Truth) {
        let greeting = kind == "CONNECTION_ESTABLISHED";
        assert_eq!(std::mem::replace(&mut self.greeted, true), !greeting, "{message}");
        if matches!(kind, "CONNECTION_ESTABLISHED" | "ROOM_JOINED" | "ROOM_LEFT") {
            assert_eq!(message["userId"], *self.user);
        }
        let room = RoomId::from_json(&message["roomId"]);
        match (kind, room) {
            ("CONNECTION_ESTABLISHED", None) => {}
            ("PONG", None) => assert_eq!(self.asked.pop_front(), Some(Ask::Ping)),
            ("ROOM_JOINED", Some(room)) => self.joined(room, message, truth),
            ("ROOM_LEFT", Some(room)) => self.left(&room),
            ("ROOM_UPDATE", Some(room)) => self.update(&room, message, truth),
            ("ROOM_STATUS", Some(room)) => {
                assert_eq!(self.asked.pop_front(), Some(Ask::Status(room)));
                let members = message["connectedClients"].as_u64();
                assert!(members.is_some_and(|members| members <= self.rules.clients), "{message}");
            }
            ("ERROR", room) => self.error(room, message["error"].as_str().unwrap_or_default()),
            _ => panic!("an unknown message: {message}"),
        }
    }

    fn joined(&mut self, room: RoomId, message: &Value, truth: &Truth) {
        let asked = self.asked.pop_front();
        let Some(Ask::Join(wanted, resume)) = asked else { panic!("{message} answers {asked:?}") };
        assert_eq!(wanted, room);
        let seq = message["seq"].as_u64().expect("ROOM_JOINED has a seq");
        let epoch = message["epoch"].as_str().expect("ROOM_JOINED has an epoch").to_owned();
        let recovered = message.get("recovered").map(|field| *field == true);
        assert_eq!(recovered.is_some(), resume.is_some(), "{message} answers {resume:?}");
        let before = self.stands.get(&room);
        if let Some((last_seq, last_epoch)) = resume.filter(|_| before.is_none()) {
            let held = last_epoch == epoch
                && (last_seq == seq || last_seq < seq && seq - last_seq <= self.rules.history);
            if recovered == Some(true) {
                assert_eq!((last_seq, last_epoch), (seq, epoch.clone()), "recovered to elsewhere");
            } else {
                assert!(!held, "not recovered, though all is held: {last_seq}, {message}");
            }
        } else {
            assert_ne!(recovered, Some(true), "a replay for a member: {message}");
        }
        let mut lost = before.is_some_and(|before| before.lost);
        if let Some(before) = before.filter(|before| before.epoch == epoch) {
            assert!(seq >= before.seq, "ROOM_JOINED goes back behind {}: {message}", before.seq);
            lost |= !self.gaps && seq != before.seq;
        }
        let (newest, counts) = before.map_or((0, 0), |before| (before.newest, before.counts));
        if let Some(numbering) = truth.numbering(&room, &epoch) {
            let (now, reached) = truth.position(&room);
            assert!(numbering < now || seq <= reached, "ahead of what was sent: {message}");
        }
        let recovered = recovered == Some(true);
        self.seen.insert(room.clone(), Seen { epoch: epoch.clone(), seq });
        let base = if recovered { seq } else { 0 };
        let snapshot_due = !recovered;
        self.stands.insert(room, Stand { epoch, seq, base, snapshot_due, lost, newest, counts });
    }

    fn left(&mut self, room: &RoomId) {
        if self.asked.front() == Some(&Ask::Leave(room.clone())) {
            self.asked.pop_front();
        } else {
            let removed = self.removed.get_mut(room).filter(|removed| **removed > 0);
            *removed.expect("ROOM_LEFT for no reason") -= 1;
        }
        self.stands.remove(room);
    }

    fn error(&mut self, room: Option<RoomId>, error: &str) {
        let asked = self.asked.pop_front();
        let joining = || match (&asked, &room) {
            (Some(Ask::Join(wanted, _)), Some(room)) => assert_eq!(wanted, room),
            _ => panic!("{error} answers {asked:?}"),
        };
        match error {
            "Unknown action" => assert_eq!(asked, Some(Ask::Nonsense)),
            "Unable to verify room membership" => joining(),
            "Too many rooms" => {
                joining();
                assert!(self.stands.len() >= self.rules.rooms, "too many rooms too early");
            }
            "Access denied to this room" => {
                joining();
                if let Some(room) = room {
                    self.stands.remove(&room);
                }
            }
            _ => panic!("{error} answers {asked:?}"),
        }
    }

    fn update(&mut self, room: &RoomId, message: &Value, truth: &mut Truth) {
        let stand = self.stands.get_mut(room);
        let stand = stand.unwrap_or_else(|| panic!("not in the room: {message}"));
        assert!(!stand.lost, "updates were lost before ROOM_JOINED, and then comes {message}");
        let field = if message["event"] == "NEWS" { "mark" } else { "currentParticipants" };
        let mark = message[field].as_u64().expect("every update has a mark");
        let sent = truth.sent(mark).clone();
        assert_eq!(sent.room, *room, "{message}");
        let seq = message["seq"].as_u64().expect("ROOM_UPDATE has a seq");
        let epoch = message.get("epoch").and_then(Value::as_str);
        if message["event"] == "PARTICIPANT_COUNT_UPDATED"
            && epoch == Some(&stand.epoch)
            && seq == stand.seq
            && std::mem::take(&mut stand.snapshot_due)
        {
            truth.bind(room, &stand.epoch, sent.numbering);
            let newest = truth.counts_at(room, sent.numbering, seq);
            assert_eq!(newest, Some(mark), "a snapshot of another moment: {message}");
            stand.counts = mark;
            return;
        }
        assert_eq!((sent.seq, sent.event), (seq, message["event"].as_str().unwrap_or_default()));
        check_counts(sent.counts, message);
        assert!(mark > stand.newest, "told twice, or late: {message}");
        if std::mem::take(&mut stand.snapshot_due) && !self.gaps {
            let numbering = truth.numbering(room, &stand.epoch);
            let state = numbering.and_then(|numbering| truth.counts_at(room, numbering, stand.seq));
            assert_eq!(state, None, "the snapshot is missing before {message}");
        }
        let next = match epoch {
            Some(epoch) if epoch != stand.epoch => {
                (stand.epoch, stand.base) = (epoch.to_owned(), 0);
                1
            }
            _ => stand.seq + 1,
        };
        assert!(seq >= next, "told twice: {message}");
        assert!(seq == next || self.gaps, "a gap from {next} on: {message}");
        truth.bind(room, &stand.epoch, sent.numbering);
        (stand.seq, stand.newest) = (seq, mark);
        if sent.counts {
            stand.counts = mark;
        }
        self.seen.insert(room.clone(), Seen { epoch: stand.epoch.clone(), seq });
    }

    /// With nothing under way any more: the newest state is there.
    ///
    /// # Panics
    /// Where it is not.
    pub fn check_newest(&self, truth: &Truth) {
        for (room, stand) in &self.stands {
            assert!(!stand.lost, "updates of {room} were lost before ROOM_JOINED");
            let (now, reached) = truth.position(room);
            if reached == 0 {
                // Forgotten, and nothing was sent since: nobody can know.
                continue;
            }
            assert_eq!(stand.seq, reached, "the newest update of {room} is missing");
            let Some(numbering) = truth.numbering(room, &stand.epoch) else { continue };
            assert_eq!(numbering, now, "{room} goes on in another epoch, and nobody has said so");
            let newest = truth.counts_at(room, numbering, reached);
            if let Some(newest) = newest.filter(|mark| truth.sent(*mark).seq > stand.base) {
                assert_eq!(stand.counts, newest, "the newest counts of {room} are missing");
            }
        }
    }
}

fn check_counts(has_counts: bool, message: &Value) {
    assert_eq!(message.get("maxParticipants").is_some(), has_counts, "{message}");
    if has_counts {
        let current = message["currentParticipants"].as_u64().unwrap_or_default();
        let full = match message["status"].as_str() {
            None => current >= PLACES,
            Some(status) => status == "FULL",
        };
        assert_eq!(message["isFull"], full, "{message}");
        assert_eq!(message["availableSlots"], PLACES.saturating_sub(current), "{message}");
    }
}
