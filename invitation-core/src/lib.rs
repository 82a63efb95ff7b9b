//! The domain of the invitation library.
//!
//! The crate is pure: it does no I/O, reads no clock, draws no randomness and needs no
//! async runtime. The exceptions are the sources that a host injects, such as [`OsEntropy`], and
//! the files of its secrets, such as [`admit::secret_file`]. [`decide::decide`] takes a command, the time and randomness, and
//! returns a
//! [`Transition`]: a guard, a change and an event. A [`Store`] applies the transition in one
//! atomic step. [`Invitations`] is the service that connects these parts; hosts call it.
//!
//! Most hosts depend on the facade crate `invitation`. Its root has the names that a host
//! needs, and its modules are those of this crate and of the adapters.
//!
//! - [`store`]: the port, for authors of stores.
//! - [`audit`]: the audit trail.
//! - [`code`]: the spelling and sealing of codes.
//! - [`decide`]: from a command to a transition.
//! - [`clock`]: the injected time.
//! - [`delivery`]: mails with the codes of invitations, and what became of them.
//! - [`documents`]: small versioned records of the consumers of the feed.
//! - [`feed`]: all events of a store in one total order, for consumers.
//! - [`funnel`]: what became of invitations, in numbers.
//! - [`hooks`]: a host's veto before each command, and a notification after it.
//! - [`import`]: many invitations in one request.
//! - [`observe`]: events for `tracing` and numbers for `metrics`.
//! - [`standing`]: whether the grantor of an invitation may still grant it.
//! - [`reserve`]: redeeming for hosts whose accounts live outside of the store's transaction.
//! - [`throttle`]: limits on wrong guesses of codes.
//! - [`webhook`]: endpoints of webhooks, as pages and the API show and change them.
//!
//! # Features
//!
//! - `tracing`: what the library does, as events and spans.
//! - `metrics`: what the library does, in numbers. [`observe`] lists both.
//! - `keyring`: codes that a stolen store does not give away; see [`code::Sealing`].
//! - `throttle`: limits on wrong guesses of codes; see [`throttle`].
//! - `files`: imports from CSV and JSON Lines files; see [`import`].

#![cfg_attr(docsrs, feature(doc_cfg))]

mod actor;
pub mod admit;
pub mod audit;
mod binding;
mod change;
pub mod clock;
pub mod code;
mod cursor;
pub mod decide;
pub mod delivery;
mod detail;
pub mod documents;
mod draft;
mod email;
mod entropy;
pub mod erasure;
mod error;
mod event;
mod facts;
pub mod feed;
mod field_error;
pub mod funnel;
mod guard;
pub mod hooks;
mod id;
pub mod import;
mod invitation;
mod inviter;
mod json;
mod lease;
mod limits;
mod link;
mod log_state;
mod memory;
mod metadata;
pub mod observe;
mod observed;
mod outcome;
mod page;
mod parts;
mod performer;
mod plain;
mod policy;
mod purge;
mod query;
mod quota;
mod record;
mod redeemer_id;
mod redemption;
mod refusal;
mod report;
mod request;
mod request_context;
pub mod reserve;
mod revocation;
#[cfg(test)]
mod sample;
mod scope;
mod search;
mod service;
pub mod standing;
mod state;
mod status;
mod status_counts;
pub mod store;
mod store_error;
mod string_enum;
mod target;
mod text;
pub mod throttle;
mod time;
mod transition;
mod unicode;
pub mod webhook;

#[doc(inline)]
pub use self::{
    actor::{Actor, Caller, Redeemer, SystemActor},
    binding::Binding,
    change::{Change, Indexed},
    code::{
        CodeDigest, CodeFormat, CodeTag, InvitationCode, ParseCodeError, SealedCode, Sealing,
        UnsealCause, UnsealError,
    },
    cursor::Cursor,
    detail::{Detail, DetailTemplate},
    draft::{Amendment, Draft, IfVersion},
    email::{Email, EmailDomain, EmailKey, VerifiedEmail},
    entropy::{Entropy, EntropyError, OsEntropy},
    error::Error,
    event::{Action, Event, EventOutcome, Reason},
    facts::Facts,
    field_error::{FieldError, ValidationErrors},
    guard::{Condition, Guard},
    id::{BatchId, DeliveryId, EventId, InvitationId},
    invitation::Invitation,
    inviter::Inviter,
    lease::{ConsumedLease, Lease, OpenLease, ReservationId},
    limits::{Expiry, Limits},
    link::{BaseUrl, RegistrationLink, RegistrationPage},
    memory::MemoryStore,
    metadata::Metadata,
    outcome::Outcome,
    page::{Page, PageRequest, StorePage},
    parts::{BindingParts, InviterParts, PerformerParts},
    performer::Performer,
    plain::PlainRedemption,
    policy::{Policy, PolicyWarning, Right, Rights, RolePair},
    purge::{Purge, Purged},
    query::{EventFilter, Filter, ListOrder, OutcomeFilter, Position, TimeRange},
    quota::{Cap, Quota, QuotaOf},
    record::Record,
    redemption::{Redemption, UsedBy},
    refusal::{Refusal, Refused, Verdict},
    request::{
        Fingerprint, IdempotencyKey, IdempotentRequest, PriorRequest, RequestResults,
        ScopedIdempotencyKey,
    },
    request_context::RequestContext,
    revocation::Revocation,
    scope::Scope,
    search::{Search, SearchTerm, StoredTerms},
    service::{
        Checked, ClaimedDelivery, Created, Criteria, Deliveries, Disclosure, Duplicates,
        ErasurePage, ErasureStage, EventCriteria, Import, ImportMode, ImportRow, Imported,
        ImportedRow, InvitationView, Invitations, OpenReservation, OutcomeKind, Paging,
        PartedImport, PurgedEvents, RedeemWithError, Redeemed, RedeemedWith, Released,
        ReminderPage, ResealPage, Resend, ResendOutcome, ResentInvitation, ResentPage, Reservation,
        Reserved, RevokedPage, RowOutcome, RowWarning,
    },
    state::State,
    status::Status,
    status_counts::StatusCounts,
    store::{
        Batcher, CommittedBy, Execute, Insert, Inserted, Intercept, Interceptor, Invitee, Located,
        NewInvitation, Operation, Store, StoreCall,
    },
    store_error::{StoreError, StoreErrorKind},
    target::Target,
    text::{CorrelationId, Division, Role, Source, SystemName, UserId, Username},
    time::{Clock, ManualClock, SystemClock, Timestamp},
    transition::Transition,
};
