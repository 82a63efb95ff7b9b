//! The feed of a namespace, and the cursors of its consumers.

use std::num::NonZeroU32;

use async_trait::async_trait;
use invitation_core::{
    EventId, StoreError,
    feed::{
        CursorHolder, CursorLease, CursorName, EventRemoval, EventsRemoved, Feed, FeedCursor,
        FeedCursors, FeedEpoch, FeedEvent, FeedPage, FeedPosition, FeedRetention,
    },
};
use redis::Value;

use crate::{
    calls::{Answer, array},
    record::{self, corrupt_entry},
    script::{CURSOR, CURSORS, FEED, REMOVE_CURSOR, REMOVE_EVENTS, REPLACE_CURSOR},
    store::{RedisStore, touch},
    wire::{Fields, Packed},
};

#[async_trait]
impl Feed for RedisStore {
    async fn feed(
        &self,
        after: Option<FeedPosition>,
        limit: NonZeroU32,
    ) -> Result<FeedPage, StoreError> {
        let limit = limit.get().min(FeedPage::MAX_EVENTS);
        let (epoch, sequence) = after.map_or((0, 0), |after| (after.epoch, after.sequence));
        let arguments = [epoch.to_string(), sequence.to_string(), limit.to_string()];
        let answer = self.calls.read("feed", &FEED, &arguments.map(String::into_bytes)).await?;
        page(&array("feed", answer)?).ok_or_else(|| corrupt_entry("feed"))?
    }
}

/// Reads the answer of the script; none if it has another form.
fn page(answer: &[Value]) -> Option<Result<FeedPage, StoreError>> {
    let (head, rest) = answer.split_first_chunk::<5>()?;
    let mut numbers = [0; 5];
    for (slot, value) in numbers.iter_mut().zip(head) {
        let Value::Int(number) = value else { return None };
        *slot = u64::try_from(*number).ok()?;
    }
    let [number, before, sequence, more, first] = numbers;
    let at = |epoch, sequence| FeedPosition { epoch, transaction: 0, sequence };
    let epoch = FeedEpoch { number, follows: (before > 0).then(|| at(before, sequence)) };
    let mut events = Vec::with_capacity(rest.len() / 2);
    for (sequence, pair) in (first..).zip(rest.chunks(2)) {
        let [Value::BulkString(id), Value::BulkString(event)] = pair else { return None };
        let id = EventId::from_bytes(id.as_slice().try_into().ok()?);
        match record::event(id, event) {
            Ok(event) => events.push(FeedEvent { position: at(number, sequence), event }),
            Err(error) => return Some(Err(error)),
        }
    }
    Some(Ok(FeedPage { epoch, events, more: more > 0 }))
}

#[async_trait]
impl FeedCursors for RedisStore {
    async fn cursor(&self, name: &CursorName) -> Result<Option<FeedCursor>, StoreError> {
        let name_bytes = name.as_str().as_bytes().to_vec();
        let answer = self.calls.read("cursor", &CURSOR, &[name_bytes]).await?;
        match array("cursor", answer)?.as_slice() {
            [Value::BulkString(record)] => read_cursor(name, record).map(Some),
            [Value::Nil] | [] => Ok(None),
            _ => Err(corrupt_entry("cursor")),
        }
    }

    async fn replace_cursor(&self, cursor: &FeedCursor) -> Result<bool, StoreError> {
        let Some(before) = cursor.version.checked_sub(1) else { return Ok(false) };
        let name = cursor.name.as_str().as_bytes().to_vec();
        let before = before.to_be_bytes().to_vec();
        let arguments = [touch(&self.calls), name, before, write_cursor(cursor)];
        let answer = self.calls.write("replace_cursor", &REPLACE_CURSOR, &arguments).await?;
        let answer = Answer::of("replace_cursor", answer)?;
        match answer.word() {
            b"replaced" => Ok(true),
            b"kept" => Ok(false),
            _ => Err(answer.odd()),
        }
    }
}

#[async_trait]
impl FeedRetention for RedisStore {
    async fn cursors(&self) -> Result<Vec<FeedCursor>, StoreError> {
        let answer = array("cursors", self.calls.read("cursors", &CURSORS, &[]).await?)?;
        let cursor = |pair: &[Value]| match pair {
            [Value::BulkString(name), Value::BulkString(record)] => {
                let name = String::from_utf8(name.clone()).map_err(|_| corrupt_entry("cursor"))?;
                read_cursor(&CursorName::from_stored(name), record)
            }
            _ => Err(corrupt_entry("cursor")),
        };
        answer.chunks(2).map(cursor).collect()
    }

    async fn remove_cursor(&self, name: &CursorName, version: u64) -> Result<bool, StoreError> {
        let name = name.as_str().as_bytes().to_vec();
        let arguments = [touch(&self.calls), name, version.to_be_bytes().to_vec()];
        let answer = self.calls.write("remove_cursor", &REMOVE_CURSOR, &arguments).await?;
        let answer = Answer::of("remove_cursor", answer)?;
        match answer.word() {
            b"removed" => Ok(true),
            b"kept" => Ok(false),
            _ => Err(answer.odd()),
        }
    }

    async fn remove_events(&self, removal: &EventRemoval) -> Result<EventsRemoved, StoreError> {
        let ids: Vec<_> = removal.ids().iter().flat_map(EventId::as_bytes).copied().collect();
        let mut p = Packed::array(4);
        record::pack_event(p.bytes(removal.event().id.as_bytes()), removal.event());
        p.flag(self.calls.touches()).bytes(&ids);
        let answer = self.calls.write("remove_events", &REMOVE_EVENTS, &[p.done()]).await?;
        let answer = Answer::of("remove_events", answer)?;
        match answer.word() {
            b"removed" => Ok(EventsRemoved::Done),
            b"before" => Ok(EventsRemoved::Before),
            b"changed" => Ok(EventsRemoved::Changed),
            _ => Err(answer.odd()),
        }
    }
}

/// Writes a cursor: its version and the other parts. The script compares the first and the last 8
/// bytes, which are the version and the number of the claim.
fn write_cursor(cursor: &FeedCursor) -> Vec<u8> {
    let FeedCursor { name: _, position, lease, claims, version } = cursor;
    let position = position.map(FeedPosition::to_bytes);
    let mut p = Packed::array(4);
    p.opt_bytes(position.as_ref().map(<[u8; FeedPosition::BYTES]>::as_slice))
        .opt_text(lease.as_ref().map(|lease| lease.holder.as_str()))
        .opt_time(lease.as_ref().map(|lease| lease.until))
        .bytes(&claims.to_be_bytes());
    [version.to_be_bytes().as_slice(), &p.done()].concat()
}

fn read_cursor(name: &CursorName, record: &[u8]) -> Result<FeedCursor, StoreError> {
    let (version, rest) = record.split_first_chunk::<8>().ok_or_else(|| corrupt_entry("cursor"))?;
    let mut p = Fields::of(rest, "cursor", 4)?;
    let position = p.opt("position", Fields::array)?.map(FeedPosition::from_bytes);
    let holder = p.opt_stored("holder", CursorHolder::from_stored)?;
    let until = p.opt("until", Fields::time)?;
    let claims = u64::from_be_bytes(p.array("claims")?);
    let lease = match (holder, until) {
        (None, None) => None,
        (Some(holder), Some(until)) => Some(CursorLease { holder, until }),
        _ => return Err(p.corrupt("holder")),
    };
    let version = u64::from_be_bytes(*version);
    Ok(FeedCursor { name: name.clone(), position, lease, claims, version })
}
