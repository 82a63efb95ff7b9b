//! The store's data in memory, and the elementary changes of it.
//!
//! A step of the store is a list of [`Op`]s. A call writes the list to the journal and then
//! applies it here. Opening reads it from the journal and applies it here. The function
//! [`State::make`] serves both and cannot fail, so journal and memory always agree.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use invitation::{
    InvitationId, Redemption, Timestamp, UserId,
    audit::{Event, EventId},
    code::CodeDigest,
    store::{
        Facts, Fingerprint, Lease, Record, RequestResults, ScopedIdempotencyKey, Target, Transition,
    },
};
use serde_json::{Value, json};

use crate::codec::{Keep, Unreadable, member};

/// An elementary change. It records the new state and not its reason. Replaying a journal
/// applies no rules, so a rule that a later version of the library changes cannot change
/// past steps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Op {
    /// Sets the facts of an invitation.
    Invitation(Box<Record>),
    /// Adds a redemption to an invitation.
    Redemption(InvitationId, Redemption),
    /// Adds a lease to an invitation, and replaces a lease of the same user.
    Lease(InvitationId, Lease),
    /// Ends the lease of this user.
    LeaseEnded(InvitationId, UserId),
    /// Ends all leases of an invitation.
    LeasesEnded(InvitationId),
    /// Adds an event.
    Event(Box<Event>),
    /// Stores the result of a request under its key.
    Request(ScopedIdempotencyKey, Box<Made>),
    /// Removes the key of a request.
    RequestForgotten(ScopedIdempotencyKey),
    /// Removes an invitation with all its data except for its events.
    Forgotten(InvitationId),
}

impl Keep for Op {
    fn keep(&self) -> Value {
        match self {
            Self::Invitation(is) => json!({"op": "invitation", "is": is.keep()}),
            Self::Redemption(on, is) => {
                json!({"op": "redemption", "on": on.keep(), "is": is.keep()})
            }
            Self::Lease(on, is) => json!({"op": "lease", "on": on.keep(), "is": is.keep()}),
            Self::LeaseEnded(on, of) => {
                json!({"op": "lease-ended", "on": on.keep(), "of": of.keep()})
            }
            Self::LeasesEnded(on) => json!({"op": "leases-ended", "on": on.keep()}),
            Self::Event(is) => json!({"op": "event", "is": is.keep()}),
            Self::Request(key, is) => {
                json!({"op": "request", "key": key.keep(), "is": is.keep()})
            }
            Self::RequestForgotten(key) => json!({"op": "request-forgotten", "key": key.keep()}),
            Self::Forgotten(on) => json!({"op": "forgotten", "on": on.keep()}),
        }
    }

    fn read(kept: &Value) -> Result<Self, Unreadable> {
        let on = || member(kept, "on");
        Ok(match member::<String>(kept, "op")?.as_str() {
            "invitation" => Self::Invitation(Box::new(member(kept, "is")?)),
            "redemption" => Self::Redemption(on()?, member(kept, "is")?),
            "lease" => Self::Lease(on()?, member(kept, "is")?),
            "lease-ended" => Self::LeaseEnded(on()?, member(kept, "of")?),
            "leases-ended" => Self::LeasesEnded(on()?),
            "event" => Self::Event(Box::new(member(kept, "is")?)),
            "request" => Self::Request(member(kept, "key")?, Box::new(member(kept, "is")?)),
            "request-forgotten" => Self::RequestForgotten(member(kept, "key")?),
            "forgotten" => Self::Forgotten(on()?),
            other => return Err(Unreadable(format!("no change: {other}"))),
        })
    }
}

/// The stored result of a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Made {
    pub(crate) asked: Fingerprint,
    pub(crate) invitations: Vec<InvitationId>,
    pub(crate) results: Option<RequestResults>,
    /// The time from which the key counts as absent.
    pub(crate) forgotten_at: Option<Timestamp>,
}

/// An invitation, and the data that are removed together with it.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) invitation: Record,
    pub(crate) redemptions: BTreeMap<UserId, Redemption>,
    pub(crate) leases: BTreeMap<UserId, Lease>,
    request: Option<ScopedIdempotencyKey>,
}

/// All data of the store, with its indexes.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) invitations: BTreeMap<InvitationId, Kept>,
    pub(crate) by_created: BTreeSet<(Timestamp, InvitationId)>,
    by_digest: HashMap<CodeDigest, InvitationId>,
    pub(crate) events: HashMap<EventId, Event>,
    pub(crate) by_at: BTreeSet<(Timestamp, EventId)>,
    pub(crate) requests: HashMap<ScopedIdempotencyKey, Made>,
}

impl State {
    pub(crate) fn make(&mut self, op: Op) {
        match op {
            Op::Invitation(invitation) => self.put(*invitation),
            Op::Redemption(on, redemption) => {
                if let Some(kept) = self.invitations.get_mut(&on) {
                    kept.redemptions.insert(redemption.user.clone(), redemption);
                }
            }
            Op::Lease(on, lease) => {
                if let Some(kept) = self.invitations.get_mut(&on) {
                    kept.leases.insert(lease.user.clone(), lease);
                }
            }
            Op::LeaseEnded(on, user) => {
                if let Some(kept) = self.invitations.get_mut(&on) {
                    kept.leases.remove(&user);
                }
            }
            Op::LeasesEnded(on) => {
                if let Some(kept) = self.invitations.get_mut(&on) {
                    kept.leases.clear();
                }
            }
            Op::Event(event) => {
                self.by_at.insert((event.at, event.id));
                self.events.insert(event.id, *event);
            }
            Op::Request(key, made) => {
                for id in &made.invitations {
                    if let Some(kept) = self.invitations.get_mut(id) {
                        kept.request = Some(key.clone());
                    }
                }
                self.requests.insert(key, *made);
            }
            Op::RequestForgotten(key) => _ = self.requests.remove(&key),
            Op::Forgotten(id) => self.forget(id),
        }
    }

    fn put(&mut self, invitation: Record) {
        let (id, digest) = (invitation.id, invitation.digest);
        if let Some(kept) = self.invitations.get_mut(&id) {
            // After a rotation, the old code must not find the invitation.
            self.by_digest.remove(&kept.invitation.digest);
            kept.invitation = invitation;
        } else {
            self.by_created.insert((invitation.created_at, id));
            let (redemptions, leases) = (BTreeMap::new(), BTreeMap::new());
            self.invitations.insert(id, Kept { invitation, redemptions, leases, request: None });
        }
        self.by_digest.insert(digest, id);
    }

    fn forget(&mut self, id: InvitationId) {
        if let Some(kept) = self.invitations.remove(&id) {
            self.by_created.remove(&(kept.invitation.created_at, id));
            self.by_digest.remove(&kept.invitation.digest);
            // A key refers to all its invitations or to none. It may meanwhile refer to
            // other invitations, if it was forgotten and used again.
            if let Some(key) = kept.request
                && self.requests.get(&key).is_some_and(|made| made.invitations.contains(&id))
            {
                self.requests.remove(&key);
            }
        }
    }

    pub(crate) fn has_digest(&self, digest: &CodeDigest) -> bool {
        self.by_digest.contains_key(digest)
    }

    /// Finds the invitation that the target names, in every scope and including tombstones.
    pub(crate) fn find(&self, target: &Target) -> Option<&Kept> {
        let id = match target {
            Target::Id(id) => id,
            Target::Code(digests) => digests.iter().find_map(|d| self.by_digest.get(d))?,
        };
        self.invitations.get(id)
    }
}

impl Kept {
    /// Returns the facts about `user`.
    pub(crate) fn facts(&self, user: Option<&UserId>) -> Facts {
        let mut facts = Facts::of(self.invitation.clone());
        facts.mine = user.and_then(|user| self.redemptions.get(user)).cloned();
        facts.lease = user.and_then(|user| self.leases.get(user)).cloned();
        facts.first_lease = self.leases.values().min_by_key(|lease| lease.order()).cloned();
        facts
    }

    /// Returns the facts by which a transition is decided and explained.
    pub(crate) fn facts_for(&self, step: &Transition) -> Facts {
        let mut facts = self.facts(step.redeemer());
        let mailbox = step.mailbox_on(&self.invitation);
        if mailbox.is_some() {
            let mut redemptions = self.redemptions.values();
            facts.mailbox_use = redemptions.find(|made| made.mailbox.as_ref() == mailbox).cloned();
            let mut leases = self.leases.values();
            facts.mailbox_lease = leases.find(|held| held.mailbox.as_ref() == mailbox).cloned();
        }
        facts
    }
}
