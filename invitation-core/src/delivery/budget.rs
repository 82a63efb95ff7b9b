//! Limits of mails, within any period of time.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{fmt::Write as _, num::NonZeroU32};
use time::Duration;

use crate::{
    documents::{Document, DocumentKey, DocumentKind, DocumentName, DocumentState},
    email::EmailKey,
    id::EventId,
    limits::Limits,
    store_error::{StoreError, StoreErrorKind},
    text::UserId,
    time::Timestamp,
};

/// The user or address whose mails are counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BudgetOf<'a> {
    Actor(&'a UserId),
    Address(&'a EmailKey),
}

impl BudgetOf<'_> {
    pub(crate) fn kind() -> DocumentKind {
        DocumentKind::from_stored("mail-budget")
    }

    /// The state of a budget that no longer counts anything.
    pub(crate) fn over() -> DocumentState {
        DocumentState::from_stored("over")
    }

    pub(crate) fn key(self) -> DocumentKey {
        let name = match self {
            Self::Actor(user) => format!("by:{user}"),
            // A document must not contain the address. The digest only tells whether two mails
            // have the same one.
            Self::Address(address) => {
                let digest = Sha256::new_with_prefix(b"invitation mail budget")
                    .chain_update(address.as_str())
                    .finalize();
                let mut name = String::from("to:");
                for byte in digest {
                    // Writing to a string cannot fail.
                    let _ = write!(name, "{byte:02x}");
                }
                name
            }
        };
        DocumentKey { kind: Self::kind(), name: DocumentName::from_stored(name) }
    }

    fn limit(self, limits: &Limits) -> (NonZeroU32, Duration) {
        match self {
            Self::Actor(_) => (limits.resends_per_actor(), Limits::ACTOR_PERIOD),
            Self::Address(_) => (limits.resends_per_address(), Limits::ADDRESS_PERIOD),
        }
    }
}

/// The mails that count against a limit.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Budget {
    /// The time of each mail in microseconds, and the call that asked for it. The call makes two
    /// versions differ that are written at the same time.
    taken: Vec<(i64, String)>,
}

impl Budget {
    /// Returns the document after one more mail at `now`, or the time from which it is possible.
    pub(crate) fn take(
        of: BudgetOf<'_>,
        stored: Option<&Document>,
        limits: &Limits,
        call: EventId,
        now: Timestamp,
    ) -> Result<Result<Document, Timestamp>, StoreError> {
        let budget: Self = match stored {
            Some(stored) => serde_json::from_slice(&stored.body).map_err(unreadable)?,
            None => Self::default(),
        };
        let (max, period) = of.limit(limits);
        let taken = match budget.after(call, now, max, period) {
            Ok(taken) => taken,
            Err(until) => return Ok(Err(until)),
        };
        let open = DocumentState::from_stored("open");
        let document = match stored {
            Some(stored) => stored.next(open),
            None => Document::new(of.key(), open, now),
        };
        let body = serde_json::to_vec(&taken).map_err(unreadable)?;
        let over = now.checked_add(period).unwrap_or(Timestamp::MAX);
        Ok(Ok(document.with_body(body).map_err(unreadable)?.due_at(over)))
    }

    fn after(
        mut self,
        call: EventId,
        now: Timestamp,
        max: NonZeroU32,
        period: Duration,
    ) -> Result<Self, Timestamp> {
        // A mail of the future counts too: the clock may have been set back.
        self.taken
            .retain(|(at, _)| Timestamp::from_micros(*at).is_some_and(|at| now.since(at) < period));
        let max = usize::try_from(max.get()).unwrap_or(usize::MAX);
        if self.taken.len() < max {
            let [.., a, b, c, d] = *call.as_bytes();
            self.taken.push((now.as_micros(), format!("{:08x}", u32::from_be_bytes([a, b, c, d]))));
            return Ok(self);
        }
        // The mail that makes room: as many must end as are above the limit, and one more.
        let mut times: Vec<i64> = self.taken.iter().map(|(at, _)| *at).collect();
        times.sort_unstable();
        let room = times.get(times.len().saturating_sub(max)).copied();
        let until = room.and_then(Timestamp::from_micros).and_then(|at| at.checked_add(period));
        Err(until.unwrap_or(Timestamp::MAX))
    }
}

fn unreadable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, "mail budget").because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: NonZeroU32 = NonZeroU32::new(3).unwrap();

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000).unwrap()
    }

    fn taken(times: &[i64]) -> Budget {
        Budget { taken: times.iter().map(|t| (at(*t).as_micros(), String::new())).collect() }
    }

    #[test]
    fn budget_has_room_again_when_the_oldest_mail_of_the_period_is_over() {
        let call = EventId::from_bytes([7; 16]);
        let take = |times: &[i64], now| {
            taken(times).after(call, at(now), THREE, Duration::seconds(10)).map(|b| b.taken.len())
        };
        assert_eq!(take(&[], 0), Ok(1));
        assert_eq!(take(&[0, 1], 9), Ok(3));
        assert_eq!(take(&[0, 1, 2], 9), Err(at(10)));
        assert_eq!(take(&[0, 1, 2], 10), Ok(3), "the first is over");
        // The limit was higher before.
        assert_eq!(take(&[0, 1, 2, 3, 4], 9), Err(at(12)));
        assert_eq!(take(&[50, 51, 52], 9), Err(at(60)), "the clock was set back");
    }

    #[test]
    fn full_budget_of_the_greatest_limit_fits_into_a_document() {
        let limits = Limits::default()
            .with_resends_per_actor(NonZeroU32::new(Limits::MAX_RESENDS).unwrap())
            .unwrap();
        let user = UserId::new("u-1").unwrap();
        let mut stored: Option<Document> = None;
        for n in 0..Limits::MAX_RESENDS {
            let mut id = [0; 16];
            id[12..].copy_from_slice(&n.to_be_bytes());
            let (call, now) = (EventId::from_bytes(id), at(1_900_000_000));
            let next = Budget::take(BudgetOf::Actor(&user), stored.as_ref(), &limits, call, now);
            stored = Some(next.unwrap().unwrap());
        }
        let full = stored.unwrap();
        assert!(full.body.len() < Document::MAX_BODY, "{}", full.body.len());
        let call = EventId::from_bytes([9; 16]);
        let next =
            Budget::take(BudgetOf::Actor(&user), Some(&full), &limits, call, at(1_900_000_001));
        assert_eq!(next.unwrap(), Err(at(1_900_003_600)));
    }

    #[test]
    fn key_of_an_address_does_not_show_it() {
        let email = crate::Email::parse("anna@example.com").unwrap();
        let name = BudgetOf::Address(email.key()).key().name;
        assert!(!name.as_str().contains("anna") && name.as_str().len() <= DocumentName::MAX_BYTES);
    }
}
