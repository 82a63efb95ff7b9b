//! Invitation codes for Rust backends. Managers invite staff into their own division. Codes
//! expire, each is redeemed once, and every step is recorded in an audit trail.
//!
//! > **An invitation is redeemed exactly when the account is created: never twice,
//! > never for nobody — and every step leaves evidence.**
//!
//! ```
//! use invitation::{
//!     Actor, Division, Draft, Invitations, MemoryStore, Redeemer, Refusal, Role, UserId, Username,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let invitations = Invitations::new(MemoryStore::new());
//! let manager =
//!     Actor::in_division(UserId::new("u-1")?, Role::new("manager")?, Division::new("sales")?);
//! let created = invitations.create(&manager, Draft::new()).await?;
//! let code = created.code().reveal(); // "7KQ2-…": share it over a secure channel
//!
//! let anna = Redeemer::new(UserId::new("u-2")?, Username::new("anna")?);
//! assert_eq!(invitations.redeem(&code, &anna).await?.role().as_str(), "staff");
//!
//! // A double click is harmless; another user is refused.
//! assert!(invitations.redeem(&code, &anna).await?.is_replayed());
//! let ben = Redeemer::new(UserId::new("u-3")?, Username::new("ben")?);
//! let refused = invitations.redeem(&code, &ben).await.unwrap_err();
//! assert_eq!(refused.refusal(), Some(&Refusal::Used));
//! # Ok(())
//! # }
//! ```
//!
//! The example needs these dependencies:
//!
//! ```toml
//! [dependencies]
//! invitation = "0.1"
//! tokio = { version = "1", features = ["macros", "rt"] }
//! ```
//!
//! # Where to begin
//!
//! - The [`guide`]: a [quick start](guide::quick_start), the [concepts](guide::concepts), and a
//!   chapter for each task.
//! - [`Invitations`]: the service, with all operations.
//! - [`Store`]: the port to the database. A SQL store in the database of the accounts redeems a
//!   code in the transaction that creates the account: [`admit`].
//!
//! # Names
//!
//! The root has the names that most hosts need. The rest is in modules, each with a page of its
//! own. No name is that of a crate that hosts use or of the standard prelude, so
//! `use invitation::*` hides nothing.
//!
//! # Features
//!
//! None is on by default.
//!
//! | Feature | |
//! |---|---|
//! | `sqlite` | `SqliteStore`, with the engine bundled; implies `sqlx` |
//! | `postgres` | `PgStore`; implies `sqlx` |
//! | `mysql` | `MySqlStore`, for MySQL and MariaDB; implies `sqlx` |
//! | `redis` | `RedisStore`, and the module `redis_store` with its options |
//! | `redis-tls` | the same over TLS |
//! | `sqlx` | the module `sql`: what the SQL stores share |
//! | `axum` | `web`: routers to mount that serve a JSON API and a dashboard |
//! | `tracing`, `metrics` | [`observe`]: what the library does, as events and in numbers |
//! | `keyring` | `code::keyring`: codes that a stolen database does not reveal |
//! | `throttle` | `code::throttle`: limits on wrong guesses of codes |
//! | `audit-log` | `audit_log`: a log of the audit trail that shows any later change |
//! | `delivery` | `delivery`: workers on the stream of audit events |
//! | `smtp` | `delivery`: the codes of invitations by mail |
//! | `webhooks` | `delivery::webhook`: events for other systems, signed and in order |
//! | `files` | imports of CSV and JSON Lines files of any size |
//! | `testing` | `testing`: the conformance suite and the model for authors of stores |

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod guide;

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
    UserId, Username, ValidationErrors, VerifiedEmail, admit, audit, clock, code, decide, import,
    observe, reserve, store,
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
