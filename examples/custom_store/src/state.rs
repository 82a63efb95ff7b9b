//! What is kept, in memory, and the elementary changes of it.
//!
//! A step of the store is a list of [`Op`]s. Live, the list is written to the
//! journal and then made here; on opening, it is read from the journal and made
//! here. The one function [`State::make`] serves both, and it cannot fail: what
//! is in the journal is in the memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use invitation::{
    CodeDigest, Event, EventId, Facts, Fingerprint, Invitation, InvitationId, Lease, Redemption,
    RequestKey, RequestResults, Target, Timestamp, UserId,
};
use serde_json::{Value, json};

use crate::codec::{Keep, Unreadable, member};

/// An elementary change. It says what is so afterwards, and never why: replaying
/// a journal asks no rule again, so that a rule which changes in a later version
/// of the library cannot change the past.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Op {
    /// These are the facts of an invitation now.
    Invitation(Box<Invitation>),
    /// This redemption is on the invitation.
    Redemption(InvitationId, Redemption),
    /// This lease is on the invitation; it replaces one of the same user.
    Lease(InvitationId, Lease),
    /// The lease of this user has ended.
    LeaseEnded(InvitationId, UserId),
    /// All leases have ended.
    LeasesEnded(InvitationId),
    /// This is on record.
    Event(Box<Event>),
    /// This came of the request under this key.
    Request(RequestKey, Box<Made>),
    /// This key stands for nothing any more.
    RequestForgotten(RequestKey),
    /// The invitation, and all that was kept with it but its events, is gone.
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

/// What came of a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Made {
    pub(crate) asked: Fingerprint,
    pub(crate) invitations: Vec<InvitationId>,
    pub(crate) results: Option<RequestResults>,
    /// From when on the key counts as not there.
    pub(crate) forgotten_at: Option<Timestamp>,
}

/// An invitation, and what is removed together with it.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) invitation: Invitation,
    pub(crate) redemptions: BTreeMap<UserId, Redemption>,
    pub(crate) leases: BTreeMap<UserId, Lease>,
    request: Option<RequestKey>,
}

/// Everything that the store keeps, and the orders in which it is looked for.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) invitations: BTreeMap<InvitationId, Kept>,
    pub(crate) by_created: BTreeSet<(Timestamp, InvitationId)>,
    by_digest: HashMap<CodeDigest, InvitationId>,
    pub(crate) events: HashMap<EventId, Event>,
    pub(crate) by_at: BTreeSet<(Timestamp, EventId)>,
    pub(crate) requests: HashMap<RequestKey, Made>,
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

    fn put(&mut self, invitation: Invitation) {
        let (id, digest) = (invitation.id, invitation.digest);
        if let Some(kept) = self.invitations.get_mut(&id) {
            // A rotation: the old code finds nothing any more.
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
            // A key stands for all its invitations or for none; but by now it may
            // stand for others, which were made when it had been forgotten before.
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

    /// What the target names, tombstones included, wherever it is.
    pub(crate) fn find(&self, target: &Target) -> Option<&Kept> {
        let id = match target {
            Target::Id(id) => id,
            Target::Code(digests) => digests.iter().find_map(|d| self.by_digest.get(d))?,
        };
        self.invitations.get(id)
    }
}

impl Kept {
    /// The facts from which a transition about `user` is decided and explained.
    pub(crate) fn facts(&self, user: Option<&UserId>) -> Facts {
        let mut facts = Facts::of(self.invitation.clone());
        facts.mine = user.and_then(|user| self.redemptions.get(user)).cloned();
        facts.lease = user.and_then(|user| self.leases.get(user)).cloned();
        facts.first_lease = self.leases.values().min_by_key(|lease| lease.order()).cloned();
        facts
    }
}
