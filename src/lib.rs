#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "axum")]
#[doc(inline)]
pub use invitation_axum as web;
#[cfg(feature = "testing")]
#[doc(inline)]
pub use invitation_conformance::{self as testing, conformance};
#[doc(inline)]
pub use invitation_core::{
    Action, Actor, Amendment, BatchId, Batcher, Binding, BindingParts, Boarding, Caller, Cap,
    Change, Checked, Clock, CodeDigest, CodeFormat, CodeTag, CommittedBy, Condition, ConsumedLease,
    CorrelationId, Count, Counts, Created, Criteria, Cursor, Detail, DetailTemplate, Disclosure,
    Division, Draft, Duplicates, Email, EmailDomain, EmailKey, Entropy, EntropyError, Error, Event,
    EventCriteria, EventFilter, EventId, EventOutcome, Expiry, Facts, FieldError, Filter,
    Fingerprint, Guard, IdempotencyKey, IdempotentRequest, IfVersion, Import, ImportMode,
    ImportRow, Imported, ImportedRow, Indexed, Insert, Inserted, Invitation, InvitationCode,
    InvitationId, InvitationView, Invitations, Invitee, Inviter, InviterParts, Lead, Lease, Limits,
    Located, ManualClock, MemoryStore, Metadata, NewInvitation, OpenLease, OpenReservation,
    OsEntropy, Others, Outcome, Page, PageRequest, Paging, ParseCodeError, Performer,
    PerformerParts, PlainRedemption, Policy, Position, PriorRequest, Purge, Purged, Quota, QuotaOf,
    Reason, RedeemWithError, Redeemed, RedeemedWith, Redeemer, Redemption, Refusal, Refused,
    Released, RequestContext, RequestResults, Reservation, ReservationId, Reserved, Revocation,
    RevokedPage, Right, Rights, Role, RolePair, RowOutcome, RowWarning, Scope,
    ScopedIdempotencyKey, SealedCode, Sealing, Search, SearchTerm, Source, State, Status, Store,
    StoreError, StoreErrorKind, StorePage, StoredTerms, SystemActor, SystemClock, Tally, Target,
    TimeRange, Timestamp, Transition, UnsealError, UsedBy, UserId, Username, ValidationErrors,
    Verdict, VerifiedEmail, decide,
};
#[cfg(feature = "redis")]
#[doc(inline)]
pub use invitation_redis::{
    InvalidNamespace, Namespace, OpenError, Persistence, RedisConnection, RedisOptions, RedisStore,
    SettingWarning, Unconfirmed, redis,
};
#[cfg(feature = "sqlx")]
#[doc(inline)]
pub use invitation_sqlx::{
    Dialect, InvalidPrefix, Joined, SqlStore, TablePrefix, migrations, sqlx,
};
#[cfg(feature = "mysql")]
#[doc(inline)]
pub use invitation_sqlx::{MySqlJoined, MySqlStore};
#[cfg(feature = "postgres")]
#[doc(inline)]
pub use invitation_sqlx::{PgJoined, PgStore};
#[cfg(feature = "sqlite")]
#[doc(inline)]
pub use invitation_sqlx::{SqliteJoined, SqliteStore};
