//! The erasure of a person: names, addresses and sources are removed from what a store keeps, and
//! everything else stays.
//!
//! [`Invitations::erase_person`](crate::Invitations::erase_person) does it page by page. A store
//! implements [`Erasures`].
//!
//! ```
//! # use invitation_core as invitation;
//! use invitation::store::erasure::Person;
//! use invitation::{
//!     Actor, Division, Draft, Invitations, MemoryStore, Paging, Redeemer, Role, SystemActor,
//!     UserId, Username,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let invitations = Invitations::new(MemoryStore::new());
//! let job = SystemActor::for_bootstrap();
//! let draft = Draft::new().with_role(Role::new("staff")?).in_division(Division::new("sales")?);
//! let created = invitations.create(&job, draft).await?;
//! let anna = Redeemer::new(UserId::new("u-7")?, Username::new("anna")?);
//! invitations.redeem(&created.code().reveal(), &anna).await?;
//!
//! let person = Person::new(UserId::new("u-7")?);
//! let mut paging = Paging::first(200)?;
//! while let Some(next) = invitations.erase_person(&job, &person, paging).await?.next() {
//!     // A job that stores the cursor continues here after an interruption.
//!     paging = paging.after(next);
//! }
//!
//! let admin = Actor::across_divisions(UserId::new("u-1")?, Role::new("admin")?);
//! let view = invitations.get(&admin, created.invitation().id()).await?;
//! assert_eq!(view.invitation().used_by().map(|by| by.to_string()).as_deref(), Some("—"));
//! // The user id stays, so the same user still gets the same answer.
//! assert!(invitations.redeem(&created.code().reveal(), &anna).await?.is_replayed());
//! # Ok(())
//! # }
//! ```
//!
//! # What is erased
//!
//! | Where | What |
//! |---|---|
//! | redemptions, *Used By* and reservations of the user | the name becomes `—`; the proved address is removed |
//! | invitations that the user created or granted | the name of the inviter and of the grantor |
//! | [ended](PersonErasure::erases_address) invitations to one of the addresses | the address becomes `—` |
//! | search terms | those of these names and addresses |
//! | events that the user performed | the name and the source |
//! | events of ended invitations to one of the addresses | the masked address in the detail |
//!
//! Deliveries contain no name and no address. One that is still queued for an ended invitation is
//! cancelled when it is due.
//!
//! # What stays
//!
//! - The user id, everywhere, with times, roles and counts.
//! - Free text that the host or its users wrote: the reason of a revocation, and metadata.
//! - An open invitation to one of the addresses. The page [counts](crate::ErasurePage::open) it;
//!   revoke it, and run the job again.
//! - The values of a redemption that the user makes while the job runs. Block the account first.
//! - Imports and their files, which have the name of the user and the rows as they were sent.
//!   `Imports::remove_ended` removes them.
//! - Digests of requests with an idempotency key, and of addresses whose mails are limited. Both are
//!   removed when they are over.
//! - What other systems got by webhooks and mails.
//! - Logs and backups of the database.
//!
//! An ended invitation whose address was erased cannot be redeemed, also when it is reinstated or
//! extended, until it is amended with another binding. A person whose proved address was erased
//! may redeem an open code for a domain again, with another account.
//!
//! # With an audit log
//!
//! An erased event differs from its sealed copy, so erase in this order:
//!
//! 1. the store, until `erase_person` has no next page;
//! 2. the log: seal until nothing is left, then call `erase_user` of the sealer.
//!
//! The log then records each entry that it erases. Without that record, the verification of the
//! store names the event.

mod event;
mod person;
mod port;

use crate::{
    binding::Binding,
    detail::DetailTemplate,
    email::{Email, EmailKey},
    event::Event,
    facts::Facts,
    id::InvitationId,
    inviter::Inviter,
    lease::Lease,
    query::Position,
    record::Record,
    redemption::Redemption,
    status::Status,
    text::{UserId, Username},
    time::Timestamp,
};

pub use self::{
    event::{ErasedEvent, ErasedName, EventErasure},
    person::Person,
    port::Erasures,
};
pub use crate::service::{ErasurePage, ErasureStage};

/// The text in place of a value that was erased. It has no letter and no digit, so no search
/// finds it, and it is no address that anybody can prove.
pub const ERASED: &str = "—";

fn erased_name() -> Username {
    Username::from_stored(ERASED)
}

/// Returns whether the invitation is deleted, used, revoked or expired.
fn has_ended(invitation: &Record, now: Timestamp) -> bool {
    invitation.deleted_at.is_some() || invitation.status(now) != Status::Active
}

/// The erasure of a person from invitations, as a store gets it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct PersonErasure {
    /// The user whose names and proved addresses are erased.
    pub user: UserId,
    /// The addresses that are erased from ended invitations, in their comparison form; at most
    /// [`Person::MAX_ADDRESSES`].
    pub addresses: Vec<EmailKey>,
    /// The time at which an invitation must have ended.
    pub now: Timestamp,
    /// The audit event of the page, without the number of invitations. The store adds that number
    /// with [`evidence`](Self::evidence).
    pub event: Event,
}

/// The parts of an invitation that an erasure changed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
#[expect(clippy::struct_excessive_bools, reason = "each part is erased or not")]
pub struct ErasedParts {
    /// The name of the inviter.
    pub inviter: bool,
    /// The name of the grantor.
    pub grantor: bool,
    /// The name, or the proved address, of the latest redemption.
    pub latest_use: bool,
    /// The name, or the proved address, of the redemption by the user.
    pub redemption: bool,
    /// The name, or the proved address, of the lease of the user.
    pub lease: bool,
    /// The address to which the code is bound.
    pub address: bool,
}

impl ErasedParts {
    /// Returns whether any part was changed.
    #[must_use]
    pub fn any(self) -> bool {
        self != Self::default()
    }
}

impl PersonErasure {
    /// The name of the detail with the user id, in the event of an erasure.
    pub const USER: &str = "user";
    /// The name of the details with the ids of erased events, in the event of an erasure. Each
    /// value has several ids with spaces between them.
    pub const EVENTS: &str = "events";
    const INVITATIONS: &str = "invitations";

    /// Erases the person from facts that contain the redemption and the lease of the
    /// [user](Self::user). Returns the parts that differ afterwards. This is the specification.
    pub fn apply_to(&self, facts: &mut Facts) -> ErasedParts {
        let is_address_erased = self.erases_address(&facts.invitation);
        let Facts { invitation, mine, lease, .. } = facts;
        if is_address_erased {
            invitation.binding = Binding::Address(Email::erased());
        }
        ErasedParts {
            inviter: self.unname(&mut invitation.inviter),
            grantor: self.unname(&mut invitation.grantor),
            latest_use: invitation.last_use.as_mut().is_some_and(|last| self.redemption(last)),
            redemption: mine.as_mut().is_some_and(|mine| self.redemption(mine)),
            lease: lease.as_mut().is_some_and(|lease| self.lease(lease)),
            address: is_address_erased,
        }
    }

    /// Returns whether the address of the invitation is erased: it is one of the addresses, and
    /// the invitation has ended, because it is deleted, used, revoked or expired.
    #[must_use]
    pub fn erases_address(&self, invitation: &Record) -> bool {
        self.is_for_person(invitation) && has_ended(invitation, self.now)
    }

    /// Returns whether the invitation is for one of the addresses and stays as it is, because it
    /// is open.
    #[must_use]
    pub fn leaves_open(&self, invitation: &Record) -> bool {
        self.is_for_person(invitation) && !has_ended(invitation, self.now)
    }

    fn is_for_person(&self, invitation: &Record) -> bool {
        match &invitation.binding {
            Binding::Address(email) => self.addresses.contains(email.key()),
            Binding::Anyone | Binding::Domain(_) => false,
        }
    }

    fn unname(&self, inviter: &mut Inviter) -> bool {
        match inviter {
            Inviter::User { user, name, .. } if *user == self.user => name.take().is_some(),
            Inviter::User { .. } | Inviter::System => false,
        }
    }

    fn redemption(&self, redemption: &mut Redemption) -> bool {
        let Redemption { user, username, mailbox, .. } = redemption;
        *user == self.user && erase(username, mailbox)
    }

    fn lease(&self, lease: &mut Lease) -> bool {
        let Lease { user, username, mailbox, .. } = lease;
        *user == self.user && erase(username, mailbox)
    }

    /// Returns the audit event of a page on which `erased` invitations were changed.
    #[must_use]
    pub fn evidence(&self, erased: u32) -> Event {
        let event = self.event.clone();
        let detail = event.detail.with(Self::INVITATIONS, &erased.to_string());
        Event { detail, ..event }
    }

    /// Returns the detail of [`evidence`](Self::evidence) as a text, into which the store writes
    /// the number of changed invitations.
    #[must_use]
    pub fn evidence_template(&self) -> DetailTemplate {
        self.event.detail.template(Self::INVITATIONS)
    }
}

fn erase(username: &mut Username, mailbox: &mut Option<EmailKey>) -> bool {
    let is_new = username.as_str() != ERASED || mailbox.is_some();
    (*username, *mailbox) = (erased_name(), None);
    is_new
}

/// The result of one page of an erasure from invitations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct ErasedInvitations {
    /// The number of invitations of the page.
    pub examined: u32,
    /// The number of these that were changed.
    pub erased: u32,
    /// The number of these that are for one of the addresses and still
    /// [open](PersonErasure::leaves_open).
    pub open: u32,
    /// The position behind which the next page begins; none if no invitation follows.
    pub next: Option<Position<InvitationId>>,
}

#[cfg(test)]
mod tests;
