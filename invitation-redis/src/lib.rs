//! Redis and Redis Cluster as stores of the invitation library.
//!
//! ```no_run
//! use invitation_core::Invitations;
//! use invitation_redis::{RedisOptions, RedisStore};
//!
//! # async fn host() -> Result<(), invitation_redis::OpenError> {
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
//! Everything of a store is in eight keys, `{namespace}:` and a word. In a cluster the
//! text in the braces chooses the slot, so a namespace lies in **one slot, on one
//! primary**, and every step is one script over keys that it declares: check, change,
//! index, event. A division is a value in there and never part of a key, whatever
//! characters its name has.
//!
//! It is cut like this because the promises go across divisions: a code is found
//! without knowing its division and is unique among all, a quota of an inviter and an
//! idempotency key count everywhere, an administrator lists everything newest first.
//! A slot for each division would make each of these a sequence of steps, and
//! a crash between two of them a code that is half there.
//!
//! The price is a rule: **a namespace is as fast as one core of one primary, and as
//! large as one primary's memory.** Spread load by giving each tenant, or each group of
//! divisions that need no common list, a namespace and so a store of its own: different
//! namespaces lie in different slots and share nothing. To move the slot of a large
//! namespace to another node, know that Redis moves a key as a whole and stands still
//! meanwhile, and that no key can be moved whose dump exceeds `proto-max-bulk-len`
//! (512 MB by default). Some hundred thousand invitations in a namespace are well below.
//!
//! While a slot moves, calls wait until it has arrived, within bounds: the client
//! follows to the new node and tries again, at most eight times; what then has had no
//! answer is an error of the kind *outcome unknown*.
//!
//! # What is promised
//!
//! - On a primary that lives, all that the port asks for: exactly as many
//!   redemptions as a code has uses, each with its event, lists that show every
//!   acknowledged change.
//! - A lost reply is *outcome unknown*, never a refusal. Every change is known by the id
//!   of its event, and an insert by one of its own, so a command that is sent twice, by
//!   the host or by the client, is made once, and asking again tells the truth.
//! - A server that forgot its scripts (`SCRIPT FLUSH`, a restart, a promotion) is told
//!   them again.
//! - With `appendonly yes` and `appendfsync always`, what was acknowledged is there after
//!   a crash, with its event.
//!
//! # What is not
//!
//! Redis replicates after it has answered. **A failover can lose what was acknowledged
//! last**, and so does a crash under `appendfsync everysec`. What is left is always a
//! state that there was: a use and its event are one, and stay or go together. So a
//! code whose creation is lost is unknown: that fails closed. But it does not for
//! these:
//!
//! - a lost redemption leaves the code unused: somebody else can redeem it, although an
//!   account exists;
//! - a lost revocation, deletion, rotation or amendment leaves the code as it was before.
//!
//! [`RedisOptions::wait_replicas`] makes that less likely: a change is then acknowledged
//! only when so many replicas have it, and is otherwise [`Unconfirmed`]. It is lost all
//! the same if a replica is promoted that was not among them. Where no invitation may
//! ever be used twice, keep them in a SQL database.
//!
//! [`RedisStore::connect`] refuses a server that evicts keys (`maxmemory-policy` other
//! than `noeviction`) and a replica, and gives warnings about persistence weaker than
//! expected. It looks once: what an operator sets later, nobody notices. Keys carry no
//! expiry; nothing is removed but by a purge.
//!
//! # Operating it
//!
//! - Redis 7.0 or later, standalone or cluster. A standalone connection goes to one
//!   address: behind a failover, that must lead to the new primary.
//! - A restricted user needs the commands under [Rights](#rights). `KEYS` and `SCAN` are never
//!   used.
//! - Scripts are bounded by what they are about: a page of a list, a batch
//!   (`Limits::with_batch`), 64 transitions, 500 invitations in a purge. A change that
//!   ends all leases takes time with their number, removing an invitation with that of
//!   its redemptions, and a purge everywhere with that of the divisions.
//! - Whoever may use `MONITOR` or read the slow log sees the records that scripts write, so
//!   as much as who reads the database. The commands for redeeming, refusing and listing have no code in them,
//!   only those for creating and replacing one, in the form in which it is kept.
//! - TLS: the feature `tls`, and a URL that begins with `rediss://`. It brings rustls with
//!   the provider *ring*. A host that has another provider of rustls in its tree as well
//!   must choose one: `rustls::crypto::CryptoProvider::install_default`.
//!
//! # Rights
//!
//! This user can do all that a store in the namespace `invitation` needs, and nothing else:
//!
//! ```text
//! ACL SETUSER invitation reset on >PASSWORD ~{invitation}:* +eval +evalsha +hget +hmget +hset +hdel +hexists +zadd +zrem +zrangebylex +zrevrangebylex +zlexcount +info
//! ```
//!
//! Another namespace has another pattern ([`Namespace::pattern`]). Some options need more:
//!
//! ```text
//! ACL SETUSER invitation +exists +wait
//! ACL SETUSER invitation +ping +asking +cluster|slots
//! ACL SETUSER invitation +config|get
//! ```
//!
//! - `EXISTS` and `WAIT`: [`RedisOptions::wait_replicas`].
//! - `PING`, `ASKING` and `CLUSTER SLOTS`: a cluster, on each of its nodes.
//! - `CONFIG GET`: to be warned about `appendfsync`. Without it, the warning says `unknown`.
//!
//! Opening a store checks every command on every key that it will be used for, on each primary.
//! If one is missing, the result is [`OpenError::Permission`], which names it, and nothing is
//! written. When an operator takes a right away later, a change is refused before its first
//! write.
//!
//! # When a change fails
//!
//! Redis does not undo what a script has written before an error in it. The scripts therefore
//! know whether they have written:
//!
//! - An error before the first write means that nothing was done. So it is with a server
//!   whose memory or disk is full, with one that has become a replica or has lost its own, and
//!   with a script that an operator ends. The kind is
//!   [`Unavailable`](invitation_core::StoreErrorKind::Unavailable): the same call may succeed
//!   later. Full memory never stops a change in the middle: Redis refuses the first write of a
//!   script, or none.
//! - An error after it, as when somebody has put a value of another type under one of the
//!   keys, is [`OutcomeUnknown`](invitation_core::StoreErrorKind::OutcomeUnknown).
//! - In a cluster every error of a change is *outcome unknown*, because the client may have
//!   sent it twice.
//!
//! # Round trips
//!
//! A redemption, a reservation, any change: one, unless the server has forgotten the script;
//! up to 64 transitions that are applied together share it.
//! A list: one when only status and dates
//! narrow it, otherwise two; the second reads the shortest of the indexes that serve. A
//! list looks at 4,000 entries at most and then comes back short, with a cursor. Counts of
//! a status are read off the index; with another filter, the invitations of the shortest
//! index are looked at, up to the cap.
//!
//! An invitation for an address weighs about 2.5 kB with the event of its creation, most of
//! it in the index. That index is also what a change costs: redeeming takes four entries
//! out of it, adds three and one for each word of the name, and adds four to the trail,
//! so it takes the server many times as long as a script that only marks a code as used.
//! `cargo bench -p invitation-benches --bench redis` shows both.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod calls;
mod connection;
mod error;
mod keys;
mod open;
mod options;
mod plan;
mod read;
mod record;
mod render;
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
