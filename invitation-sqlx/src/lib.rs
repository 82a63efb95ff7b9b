//! SQL stores of the invitation library.
//!
//! One generic store serves all databases. A dialect holds the differences between them.
//! Features:
//!
//! - `sqlite`: SQLite, with the engine bundled: [`SqliteStore`].
//! - `postgres`: PostgreSQL: [`PgStore`].
//! - `mysql`: MySQL and MariaDB: [`MySqlStore`].
//!
//! This crate turns on no async runtime, no TLS and no type feature of sqlx. The host chooses
//! them, as in `sqlx = { version = "0.9", features = ["runtime-tokio"] }`. The crate re-exports
//! the driver as [`sqlx`], so that a host can match versions.
//!
//! ```
//! # mod invitation {
//! #     pub use invitation_core::*;
//! #     pub use invitation_sqlx::{self as sql, SqliteStore};
//! # }
//! use invitation::{
//!     Invitations, SqliteStore,
//!     sql::{SqlStore, TablePrefix, sqlx},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // `in_memory` and `open` choose the options of the connections. A host with a pool of its
//! // own gives that to the store. The tables of several stores differ in their prefix.
//! let pool = SqliteStore::in_memory().await?.pool().clone();
//! let store = SqlStore::new(pool.clone()).with_prefix(TablePrefix::new("sales_")?);
//! store.migrate().await?;
//! let invitations = Invitations::new(store);
//!
//! let tables = "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'sales_codes'";
//! assert_eq!(sqlx::query_scalar::<_, i64>(tables).fetch_one(&pool).await?, 1);
//! # Ok(())
//! # }
//! ```
//!
//! # The feed
//!
//! [`SqlStore`] implements [`Feed`](invitation_core::feed::Feed) and
//! [`FeedCursors`](invitation_core::feed::FeedCursors). Events are in the feed after the commit of
//! their transaction, also of a host's. No call that writes does anything for it.
//!
//! - **SQLite**: the order of commits. A page takes one statement.
//! - **PostgreSQL**: the order of transaction ids, up to the oldest open transaction that has
//!   written. A transaction of another database of the same server counts, too: while it is open,
//!   later events are not in the feed yet. A page takes one statement, or two at the end.
//! - **MySQL and MariaDB**: `feed` assigns the next positions to committed events that have none,
//!   at most 500 in one call. An open transaction delays only its own events. A page takes one
//!   round trip if it is full, two if there is nothing new, and otherwise four. On a Galera
//!   cluster, any node can be asked: of two nodes that assign at once, one is undone.
//!
//! All events are in one [epoch](invitation_core::feed::FeedEpoch). A failover or a restored
//! backup may lose commits. The cursors of the store lose the same commits, so consumers that use
//! them miss nothing. A consumer that keeps its position elsewhere has to begin anew.
//!
//! On PostgreSQL, the tables of a dump have transaction ids of another server. The feed is then an
//! error, of the kind *corrupt*, until these statements have run before any other use of the
//! tables. Consumers begin with the first event again:
//!
//! ```sql
//! UPDATE invitation_events SET transaction = '1'::XID8;
//! UPDATE invitation_cursors SET position = NULL, version = version + 1;
//! ```

//! # Documents
//!
//! [`SqlStore`] implements [`Documents`](invitation_core::documents::Documents) too. A query takes
//! one round trip. A replacement is one transaction: it locks the stored documents, compares them,
//! and writes all new versions and events, with one statement for each 1 MiB of bodies.

#![cfg_attr(docsrs, feature(doc_cfg))]
// Some parts serve two of the three databases.
#![cfg_attr(
    not(all(feature = "mysql", feature = "postgres", feature = "sqlite")),
    allow(dead_code, unused_imports)
)]

mod admission;
mod batching;
mod budgets;
mod cached_connection;
mod calls;
mod connection_cache;
mod connections;
mod dialect;
mod documents;
mod effects;
mod erasure;
mod error;
mod feed;
mod joined;
mod list;
mod mechanisms;
#[cfg(feature = "mysql")]
mod mysql;
mod names;
mod ops;
mod port;
#[cfg(feature = "postgres")]
mod postgres;
mod render;
mod retry;
mod row;
mod schema;

#[cfg(feature = "sqlite")]
mod sqlite;
mod statement;
mod store;
mod values;

pub use sqlx;

#[cfg(feature = "mysql")]
pub use self::mysql::{MySqlJoined, MySqlStore};
#[cfg(feature = "postgres")]
pub use self::postgres::{PgJoined, PgStore};
#[cfg(feature = "sqlite")]
pub use self::sqlite::{SqliteJoined, SqliteStore};
pub use self::{
    admission::SqlTransaction,
    dialect::{Dialect, Scalar},
    error::is_conflict,
    joined::Joined,
    names::{InvalidPrefix, TablePrefix},
    retry::SqlAttempts,
    schema::migrations,
    store::SqlStore,
};
