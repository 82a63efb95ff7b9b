//! Redis and Redis Cluster as stores of the invitation library.
//!
//! ```no_run
//! # mod invitation {
//! #     pub use invitation_core::*;
//! #     pub use invitation_redis::{self as redis_store, RedisStore};
//! # }
//! use invitation::{Invitations, RedisStore, redis_store::RedisOptions};
//!
//! # async fn host() -> Result<(), invitation::redis_store::OpenError> {
//! let store = RedisStore::connect("redis://127.0.0.1/", RedisOptions::new()).await?;
//! for warning in store.warnings() {
//!     eprintln!("{warning}"); // "the server: appendfsync is everysec; always was expected"
//! }
//! let invitations = Invitations::new(store);
//! # Ok(())
//! # }
//! ```
//!
//! # One namespace, one slot
//!
//! A store keeps everything in thirteen keys, each named `{namespace}:` and a key name. In a
//! cluster the text in the braces selects the slot. A namespace therefore lies in **one
//! slot, on one primary**. Every step is one script over keys that it declares: check,
//! change, index, event. A division is a value inside these keys and never part of a key,
//! whatever characters its name has.
//!
//! The reason is that the guarantees span divisions:
//!
//! - A code is found without knowing its division, and is unique among all divisions.
//! - The quota of an inviter and an idempotency key apply everywhere.
//! - An administrator lists all divisions, newest first.
//!
//! With one slot per division, each of these would take several steps. A crash between two
//! of them would leave a half-created code.
//!
//! The price is a limit: **a namespace is as fast as one core of one primary, and as large
//! as one primary's memory.** To spread load, give each tenant, or each group of divisions
//! without a common list, its own namespace and store. Different namespaces hash to slots
//! of their own and share nothing.
//!
//! Moving the slot of a large namespace to another node has two limits. Redis moves a key
//! as a whole and blocks meanwhile. It cannot move a key whose dump exceeds
//! `proto-max-bulk-len` (512 MB by default). Some hundred thousand invitations in a
//! namespace are well below.
//!
//! While a slot moves, calls wait until it has arrived, within bounds: the client follows
//! to the new node, and retries for about three seconds with pauses of at most 250 ms. A change that
//! still has no answer then ends in an error of the kind *outcome unknown*. No command takes longer than
//! twice the time that the server may take to answer.
//!
//! # What is guaranteed
//!
//! - While the primary stays up, everything that the port requires: exactly as many
//!   redemptions as a code has uses, each with its event, and lists that show every
//!   acknowledged change.
//! - A lost reply is *outcome unknown*, never a refusal. Every change carries the id of its
//!   event, and every insert an operation id. A command that the host or the client sends
//!   twice is therefore applied once, and repeating the call returns the actual result. Three calls
//!   are exceptions, if the client of a cluster sends them twice:
//!   - `take_tokens` counts its tokens twice, so a budget may end early.
//!   - `remove_cursor` answers that no cursor was removed, although the first command removed it.
//!   - `remove_documents` with an event answers that no document is left. The next purge removes
//!     the others. Without an event, it answers the number of the second command alone.
//! - If a server has lost its scripts (`SCRIPT FLUSH`, a restart, a promotion), the store
//!   sends them again.
//! - With `appendonly yes` and `appendfsync always`, every acknowledged change survives a
//!   crash, with its event.
//!
//! # What is not guaranteed
//!
//! Redis replicates after it has answered. **A failover can lose the changes that were
//! acknowledged last**, and so can a crash under `appendfsync everysec`. The remaining
//! state is always one that existed before: a use and its event are kept or lost together.
//! A code whose creation is lost is unknown, which fails closed. These losses do not fail
//! closed:
//!
//! - a lost redemption leaves the code unused: another person can redeem it, although an
//!   account exists;
//! - a lost revocation, deletion, rotation or amendment leaves the code as it was before.
//!
//! [`RedisOptions::wait_replicas`] makes such a loss less likely. A change is then
//! acknowledged only when the given number of replicas has it, and is otherwise
//! [`Unconfirmed`]. The change is still lost if a replica without it is promoted. If no
//! invitation may ever be used twice, keep invitations in a SQL database.
//!
//! A server that comes back empty, without persistence, loses everything. An open store goes on with
//! an empty namespace: all codes are unknown, and the feed begins a new epoch.
//!
//! [`RedisStore::connect`] refuses replicas and servers that evict keys (`maxmemory-policy`
//! other than `noeviction`). It warns about persistence weaker than expected. It checks
//! only once: a setting that an operator changes later goes unnoticed. Keys have no expiry;
//! only a purge removes data.
//!
//! # The feed
//!
//! The order of the [feed](invitation_core::feed) is that of the scripts that write, and the
//! namespace has one sequence. After a promotion or a restart of the primary, which may have
//! lost acknowledged writes, the next call of the feed begins a new epoch. It follows
//! the last event that existed at the latest call of the feed known to this primary. A consumer
//! receives the events behind it, some of them again, and misses none.
//!
//! A new epoch also begins without any loss when the server changes its replication id. It does
//! so when its first replica connects, when it has freed the backlog of replication, and when
//! the slot of the namespace moves to another node.
//!
//! Reading a page takes one round trip, and writes a mark if there are new events. It does not
//! wait for replicas.
//!
//! # Documents
//!
//! Each call of [`Documents`](invitation_core::documents::Documents) is one script, and so one
//! round trip. Documents have a hash and an index of their own, with up to five entries for each
//! document. Changing a document costs no more when there are many invitations, and the reverse.
//!
//! # Operating it
//!
//! - Redis 7.0 or later, standalone or cluster. A standalone connection uses one address:
//!   with failover, that address must lead to the new primary. The store then
//!   [connects again](#losing-a-server).
//! - A restricted user needs the commands under [Rights](#rights). The store never uses
//!   `KEYS` or `SCAN`.
//! - The work of each script is bounded: a page of a list, a batch (`Limits::with_batch`),
//!   64 transitions, 1,000 documents. A purge stops after 500 invitations, or after the one with which
//!   it has removed 5,000 redemptions and leases. Four costs grow with the data: a change
//!   that ends all leases, with their number; removing an invitation, with its redemptions;
//!   erasing a redeemer of a code for several uses, with its redemptions; a purge of all divisions,
//!   with the number of divisions.
//! - A user with access to `MONITOR` or the slow log sees the records that scripts write,
//!   which is as much as reading the database. Commands for redeeming, refusing and listing
//!   contain no code. Commands for creating and replacing a code contain it in its stored
//!   form.
//! - TLS: the feature `tls`, and a URL that begins with `rediss://`. It adds rustls with
//!   the provider *ring*. A host that also has another rustls provider in its dependency
//!   tree must choose one: `rustls::crypto::CryptoProvider::install_default`.
//!
//! # Losing a server
//!
//! A connection that breaks is opened again with the next call. The store also replaces its
//! connections, at most once a second, when they do not break:
//!
//! - after two calls in a row without an answer in time
//!   ([`RedisOptions::with_response_timeout`]): the server hangs, or its host is gone. On a cluster,
//!   a call asks a node twice before it fails. A call that its caller drops after a second or more
//!   counts, too.
//! - after an answer of a replica: the former primary may keep the connection open as a replica. The
//!   first change that it refuses then fails. Reads before that show what this replica has.
//! - after the server refused the password of a new connection. An operator who changes the password
//!   and changes it back need not restart the host.
//!
//! Calls until then fail as usual: a change without an answer is *outcome unknown*. On Linux, the
//! system also gives up a connection whose data stays unacknowledged for the response timeout.
//!
//! The store replaces only connections that it opened itself ([`RedisStore::connect`],
//! [`RedisStore::connect_cluster`]).
//!
//! # Rights
//!
//! This user has exactly the rights that a store in the namespace `invitation` needs:
//!
//! ```text
//! ACL SETUSER invitation reset on >PASSWORD ~{invitation}:* +eval +evalsha +hget +hgetall +hmget +hset +hdel +hexists +hscan +zadd +zrem +zrangebylex +zrevrangebylex +zlexcount +rpush +ltrim +llen +lrange +info +time
//! ```
//!
//! Another namespace has another pattern ([`Namespace::pattern`]). Some options need more:
//!
//! ```text
//! ACL SETUSER invitation +wait
//! ACL SETUSER invitation +ping +asking +cluster|slots
//! ACL SETUSER invitation +config|get
//! ```
//!
//! - `WAIT`: [`RedisOptions::wait_replicas`].
//! - `PING`, `ASKING` and `CLUSTER SLOTS`: a cluster, on each of its nodes.
//! - `CONFIG GET`: for warnings about `appendfsync`. Without this right, the warning says
//!   `unknown`.
//!
//! Opening a store checks the right to every command on every key, on each primary. If one
//! is missing, the result is [`OpenError::Permission`], which names it, and nothing is
//! written. If an operator removes a right later, a change is refused before its first
//! write.
//!
//! # When a change fails
//!
//! Redis does not roll back the writes of a script that fails later. The scripts therefore
//! track whether they have written:
//!
//! - An error before the first write means that nothing was done. Examples: the server's
//!   memory or disk is full, it has become a replica or has lost its own replicas, or an
//!   operator ends the script. The kind is
//!   [`Unavailable`](invitation_core::StoreErrorKind::Unavailable): the same call may
//!   succeed later. Full memory never stops a change in the middle: Redis refuses the first
//!   write of a script, or none.
//! - An error after the first write is
//!   [`OutcomeUnknown`](invitation_core::StoreErrorKind::OutcomeUnknown). Example: another
//!   client has stored a value of another type under one of the keys.
//! - In a cluster every error of a change is *outcome unknown*, because the client may have
//!   sent it twice.
//!
//! # Round trips
//!
//! Any change, such as a redemption or a reservation, takes one round trip, plus one if the
//! server has lost the script. Up to 64 concurrent transitions share a script and its round
//! trip. With [`RedisOptions::wait_replicas`], up to 16 concurrent scripts share a wait for replicas.
//!
//! A list takes one round trip if only status and dates filter it, otherwise two: the
//! second reads the shortest index that serves the filter. A list examines at most 4,000
//! entries; it then returns a short page with a cursor.
//!
//! Counts by status are read from the index. With another filter, the invitations of the
//! shortest index are examined, up to the cap.
//!
//! An invitation for an address takes about 3 kB with the event of its creation, most of it in
//! the index. The index also dominates the cost of a change. Redeeming removes four
//! index entries, adds three and one for each search term of the name, and adds four
//! entries to the trail, or five if its event has a correlation id. It therefore takes the server many times as long as a script that
//! only marks a code as used. `cargo bench -p invitation-benches --bench redis` measures
//! both.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod budgets;
mod calls;
mod confirm;
mod connection;
mod documents;
mod erasure;
mod error;
mod feed;
mod keys;
mod names;
mod open;
mod options;
mod plan;
mod read;
mod record;
mod render;
mod replaceable;
mod rights;
mod script;
mod steps;
mod store;
mod wire;

pub use redis;

pub use self::{
    connection::RedisConnection,
    error::Unconfirmed,
    keys::{InvalidNamespace, Namespace},
    open::{OpenError, SettingWarning},
    options::{Persistence, RedisOptions},
    store::RedisStore,
};
