//! Encoding of values as JSON, through the conversions that the library guarantees to be
//! reversible (`as_str` and `new`, `as_bytes` and `from_bytes`, `as_micros` and
//! `from_micros`, …). No value is rounded, folded or trimmed: a store returns every value
//! byte for byte.

use std::{error::Error, fmt, num::NonZeroU32};

use invitation::{
    BatchId, Binding, Division, IdempotencyKey, InvitationId, Metadata, Redemption, Role,
    Timestamp, UserId, Username,
    audit::{
        Action, CorrelationId, Detail, Event, EventId, EventOutcome, Performer, PerformerParts,
        Reason, RequestContext, Source,
    },
    code::{CodeDigest, CodeTag, SealedCode},
    store::{
        BindingParts, EmailKey, Fingerprint, Inviter, InviterParts, Lease, Record, RequestResults,
        Revocation, ScopedIdempotencyKey,
    },
};
use serde_json::{Value, json};

use crate::state::Made;

/// The error for a text that is no valid value of its type.
#[derive(Debug)]
pub(crate) struct Unreadable(pub(crate) String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Unreadable {}

/// A value that can be encoded and decoded.
pub(crate) trait Keep: Sized {
    fn keep(&self) -> Value;
    fn read(kept: &Value) -> Result<Self, Unreadable>;
}

/// Reads the member `name` of an object; a missing one reads as `null`.
pub(crate) fn member<T: Keep>(object: &Value, name: &str) -> Result<T, Unreadable> {
    T::read(object.get(name).unwrap_or(&Value::Null))
        .map_err(|why| Unreadable(format!("{name}: {why}")))
}

fn text(kept: &Value) -> Result<&str, Unreadable> {
    kept.as_str().ok_or_else(|| Unreadable("no text".into()))
}

fn hex(bytes: &[u8]) -> Value {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    Value::String(digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect())
}

fn bytes(kept: &Value) -> Result<Vec<u8>, Unreadable> {
    let (pairs, []) = text(kept)?.as_bytes().as_chunks::<2>() else {
        return Err(Unreadable("half a byte".into()));
    };
    let byte = |&[high, low]: &[u8; 2]| {
        let digit = |c| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        Some(digit(high)? << 4 | digit(low)?)
    };
    pairs.iter().map(byte).collect::<Option<_>>().ok_or_else(|| Unreadable("no bytes".into()))
}

impl<T: Keep> Keep for Option<T> {
    fn keep(&self) -> Value {
        self.as_ref().map_or(Value::Null, Keep::keep)
    }

    fn read(kept: &Value) -> Result<Self, Unreadable> {
        if kept.is_null() { Ok(None) } else { T::read(kept).map(Some) }
    }
}

impl<T: Keep> Keep for Vec<T> {
    fn keep(&self) -> Value {
        self.iter().map(Keep::keep).collect()
    }

    fn read(kept: &Value) -> Result<Self, Unreadable> {
        let items = kept.as_array().ok_or_else(|| Unreadable("no list".into()))?;
        items.iter().map(T::read).collect()
    }
}

/// Implements `Keep` for types that are encoded by `$to` and decoded by `$from`.
macro_rules! keep {
    ($($type:ty: $to:expr, $from:expr;)*) => {$(
        impl Keep for $type {
            fn keep(&self) -> Value {
                let to: fn(&Self) -> Value = $to;
                to(self)
            }

            fn read(kept: &Value) -> Result<Self, Unreadable> {
                let from: fn(&Value) -> Option<Self> = $from;
                from(kept).ok_or_else(|| Unreadable(concat!("no ", stringify!($type)).into()))
            }
        }
    )*};
}

keep! {
    u32: |n| json!(n), |kept| kept.as_u64()?.try_into().ok();
    u64: |n| json!(n), Value::as_u64;
    NonZeroU32: |n| json!(n.get()), |kept| Self::new(kept.as_u64()?.try_into().ok()?);
    String: |text| json!(text), |kept| Some(kept.as_str()?.to_owned());
    Timestamp: |at| json!(at.as_micros()), |kept| Self::from_micros(kept.as_i64()?);
    IdempotencyKey: |key| json!(key.as_str()), |kept| Self::new(kept.as_str()?).ok();
    Metadata: |metadata| json!(metadata.as_json()), |kept| Self::from_json(kept.as_str()?).ok();
    Detail: |detail| json!(detail.to_json()), |kept| Self::from_json(kept.as_str()?);
    RequestResults: |results| hex(results.as_bytes()),
        |kept| bytes(kept).ok().map(Self::from_bytes);
    SealedCode: |code| hex(code.as_bytes()), |kept| bytes(kept).ok().map(Self::from_bytes);
}

/// Implements `Keep` for texts that were validated when they were written, and are not
/// validated again.
macro_rules! keep_texts {
    ($($type:ty),*) => {
        keep! {$(
            $type: |text| json!(text.as_str()), |kept| Some(Self::from_stored(kept.as_str()?));
        )*}
    };
}

/// Implements `Keep` for enums with a fixed list of names that never change.
macro_rules! keep_words {
    ($($type:ty),*) => {
        keep! {$(
            $type: |word| json!(word.as_str()), |kept| kept.as_str()?.parse().ok();
        )*}
    };
}

/// Implements `Keep` for keys of a fixed length.
macro_rules! keep_bytes {
    ($($type:ty),*) => {
        keep! {$(
            $type: |key| hex(key.as_bytes()),
                |kept| Some(Self::from_bytes(bytes(kept).ok()?.try_into().ok()?));
        )*}
    };
}

/// Implements `Keep` for structs of public fields: an object with the same names. If a
/// later version of the library adds a field, this does not compile, so no field is
/// forgotten.
macro_rules! keep_fields {
    ($($type:ident { $($field:ident),* $(,)? })*) => {$(
        impl Keep for $type {
            fn keep(&self) -> Value {
                let Self { $($field),* } = self;
                json!({ $(stringify!($field): $field.keep()),* })
            }

            fn read(kept: &Value) -> Result<Self, Unreadable> {
                Ok(Self { $($field: member(kept, stringify!($field))?),* })
            }
        }
    )*};
}

keep_texts!(CorrelationId, Division, EmailKey, Role, Source, UserId, Username);
keep_words!(Action, EventOutcome, Reason);
keep_bytes!(BatchId, CodeDigest, CodeTag, EventId, Fingerprint, InvitationId);
keep_fields! {
    Record {
        id, digest, tag, sealed, binding, role, division, inviter, grantor, created_at,
        expires_at, max_uses, uses, held, last_use, revocation, deleted_at, version, batch, metadata,
    }
    Redemption { id, user, username, at, role, lease, mailbox }
    Lease { id, user, username, since, until, mailbox }
    Revocation { at, reason }
    Event {
        id, at, performer, action, outcome, reason, invitation, division, context, detail,
    }
    RequestContext { correlation, source }
    ScopedIdempotencyKey { owner, key }
    Made { asked, invitations, results, forgotten_at }
}

/// Implements `Keep` for enums that the library takes apart into texts: an object with the
/// names of the parts.
macro_rules! keep_parts {
    ($($type:ident as $parts:ident { $($part:ident),* })*) => {$(
        impl Keep for $type {
            fn keep(&self) -> Value {
                let $parts { $($part),* } = self.parts();
                json!({ $(stringify!($part): $part),* })
            }

            fn read(kept: &Value) -> Result<Self, Unreadable> {
                let parts = $parts::<String> { $($part: member(kept, stringify!($part))?),* };
                Self::from_parts(parts)
                    .ok_or_else(|| Unreadable(concat!("no ", stringify!($type)).into()))
            }
        }
    )*};
}

keep_parts! {
    Binding as BindingParts { email, email_key, domain }
    Inviter as InviterParts { user, role, name }
    Performer as PerformerParts { user, role, name }
}
