// One of the README's examples needs the feature `testing`, so the examples are compiled
// only with it.
#![cfg_attr(any(not(doctest), feature = "testing"), doc = include_str!("../README.md"))]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "audit-log")]
#[doc(inline)]
pub use invitation_audit as audit_log;
#[cfg(feature = "axum")]
#[doc(inline)]
pub use invitation_axum as web;
#[cfg(feature = "testing")]
#[doc(inline)]
pub use invitation_conformance::{self as testing, conformance};
#[doc(inline)]
pub use invitation_core::{
    Actor, Amendment, BatchId, Binding, Cap, Checked, Created, Criteria, Cursor, Division, Draft,
    Email, EmailDomain, Error, Expiry, FieldError, IdempotencyKey, IfVersion, Invitation,
    InvitationCode, InvitationId, InvitationView, Invitations, Limits, MemoryStore, Metadata, Page,
    Paging, Policy, Redeemed, Redeemer, Redemption, Refusal, RevokedPage, Right, Rights, Role,
    Status, StatusCounts, Store, StoreError, StoreErrorKind, SystemActor, TimeRange, Timestamp,
    UsedBy, UserId, Username, ValidationErrors, VerifiedEmail, admit, audit, clock, code, decide,
    import, observe, reserve, store,
};
#[cfg(feature = "delivery")]
#[doc(inline)]
pub use invitation_delivery as delivery;
#[cfg(feature = "redis")]
#[doc(inline)]
pub use invitation_redis::{self as redis_store, RedisStore};
#[cfg(feature = "sqlx")]
#[doc(inline)]
pub use invitation_sqlx as sql;
#[cfg(feature = "mysql")]
#[doc(inline)]
pub use invitation_sqlx::MySqlStore;
#[cfg(feature = "postgres")]
#[doc(inline)]
pub use invitation_sqlx::PgStore;
#[cfg(feature = "sqlite")]
#[doc(inline)]
pub use invitation_sqlx::SqliteStore;
