//! Plain redemptions: the transitions for which a store may have a faster path.

use std::sync::Arc;

use crate::{
    change::Change,
    code::CodeDigest,
    email::EmailKey,
    event::{Action, Event, EventOutcome},
    guard::Condition,
    id::EventId,
    performer::Performer,
    policy::RolePair,
    request_context::RequestContext,
    target::Target,
    text::{UserId, Username},
    time::Timestamp,
    transition::Transition,
};

/// The values of a plain redemption: it presents a code, takes a free use, and has no
/// quota.
///
/// Its guard, change and event consist of these values and of nothing else:
///
/// - the guard: the conditions of
///   [`decide_redemption`](crate::decide::decide_redemption()) for a free use, in that order;
/// - the change: [`Change::Redeem`] without a lease;
/// - the event: a successful [`Action::Redeem`] by the redeemer, without a detail, with
///   the id and the time of the change.
///
/// Two plain redemptions therefore differ in these values and in the scope at most, so a
/// store may apply several in one statement.
///
/// A faster path MUST leave an invitation that is bound to a domain to the general path. On
/// such an invitation the address is a mailbox, which may be used or held by another user. On
/// all others, [`Condition::MailboxUnused`] holds, and no mailbox is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while ignoring a value")]
pub struct PlainRedemption<'a> {
    /// The digests under which the code may be stored.
    pub code: &'a [CodeDigest],
    /// The id of the redemption and of its event.
    pub id: EventId,
    /// The user whose account is created.
    pub user: &'a UserId,
    /// The username of that account.
    pub username: &'a Username,
    /// The time of the redemption, by which the invitation must not have expired.
    pub at: Timestamp,
    /// The proved address, to compare with the binding.
    pub address: Option<&'a EmailKey>,
    /// The role pairs of [`Condition::Grantable`].
    pub grantable: &'a Arc<[RolePair]>,
    /// The request context of the event.
    pub context: &'a RequestContext,
}

impl Transition {
    /// Returns the values of a plain redemption; none for every other transition.
    ///
    /// A store with a faster path for plain redemptions applies all other transitions on
    /// its general path. A new condition, change or field of an event makes a transition
    /// other than plain, so the faster path cannot overlook it.
    #[must_use]
    pub fn as_plain_redemption(&self) -> Option<PlainRedemption<'_>> {
        let Target::Code(code) = &self.target else { return None };
        let Change::Redeem { id, user, username, at, address: proved, taken_over_from: None } =
            &self.change
        else {
            return None;
        };
        let [
            Condition::FirstUseBy(first_use),
            Condition::NotDeleted,
            Condition::UsesLeft,
            Condition::NotRevoked,
            Condition::NotExpired { now },
            Condition::AddressProved(address),
            Condition::Grantable(grantable),
            Condition::FirstHoldBy(first_hold),
            of_mailbox @ ..,
            Condition::UseFree,
        ] = self.guard.conditions()
        else {
            return None;
        };
        let Event {
            id: event,
            at: told_at,
            performer: Performer::Redeemer { user: performer, username: name },
            action: Action::Redeem,
            outcome: EventOutcome::Succeeded,
            reason: None,
            invitation: None,
            division: None,
            context,
            detail,
        } = &self.event
        else {
            return None;
        };
        let is_consistent = [first_use, first_hold, performer].iter().all(|other| *other == user)
            && (event, name) == (id, username)
            && [now, told_at].iter().all(|other| *other == at)
            && address == proved
            && of_mailbox == proved.clone().map(Condition::MailboxUnused).as_slice()
            && detail.is_empty();
        (is_consistent && self.quotas.is_empty() && !code.is_empty()).then_some(PlainRedemption {
            code,
            id: *id,
            user,
            username,
            at: *at,
            address: address.as_ref(),
            grantable,
            context,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        actor::Redeemer,
        decide::{Call, RedeemCommand, UseSource, decide_redemption},
        detail::Detail,
        email::{Email, VerifiedEmail},
        event::Reason,
        guard::Guard,
        inviter::Inviter,
        lease::ConsumedLease,
        quota::{Quota, QuotaOf},
        sample,
        scope::Scope,
        text::Division,
    };

    fn anna() -> Redeemer {
        Redeemer::new(UserId::new("u-9").unwrap(), Username::new("anna").unwrap())
    }

    /// A redemption as the service decides it, of a free use.
    fn plain() -> Transition {
        decided(&anna())
    }

    fn with_proof() -> Transition {
        decided(&anna().with_email(VerifiedEmail::vouched_by_host(email("anna@example.com"))))
    }

    fn email(address: &str) -> Email {
        Email::parse(address).unwrap()
    }

    fn decided(redeemer: &Redeemer) -> Transition {
        let call = Call {
            id: EventId::from_bytes([7; 16]),
            now: sample::at(3_000),
            performer: redeemer.performer(),
            context: RequestContext::default(),
        };
        let command = RedeemCommand::Redeem {
            code: vec![CodeDigest::from_bytes([2; 32])],
            redeemer,
            ceiling: &Arc::from([]),
            vouched: None,
            source: UseSource::Free,
        };
        decide_redemption(command, Scope::All, &call)
    }

    #[test]
    fn redemption_with_a_proof_is_plain_with_that_mailbox_only() {
        let transition = with_proof();
        let values = transition.as_plain_redemption().unwrap();
        assert_eq!(values.address, Some(email("anna@example.com").key()));
        let other = || email("ben@example.com").key().clone();
        let at = |wanted: fn(&Condition) -> bool| {
            with_proof().guard.conditions().iter().position(wanted).unwrap()
        };
        let proved = at(|one| matches!(one, Condition::AddressProved(_)));
        let mailbox = at(|one| matches!(one, Condition::MailboxUnused(_)));
        for (n, new) in [
            (proved, Some(Condition::AddressProved(Some(other())))),
            (proved, Some(Condition::AddressProved(None))),
            (mailbox, Some(Condition::MailboxUnused(other()))),
            (mailbox, None),
        ] {
            let mut conditions = with_proof().guard.conditions().to_vec();
            conditions.splice(n..=n, new);
            let transition = Transition { guard: Guard::new(conditions), ..with_proof() };
            assert_eq!(transition.as_plain_redemption(), None, "{:?}", transition.guard);
        }
        let mut stored = with_proof();
        if let Change::Redeem { address, .. } = &mut stored.change {
            *address = Some(other());
        }
        assert_eq!(stored.as_plain_redemption(), None, "another address in the change");
    }

    fn changed(change: impl FnOnce(&mut Transition)) -> Transition {
        let mut transition = plain();
        change(&mut transition);
        transition
    }

    #[test]
    fn decided_redemption_of_a_free_use_is_plain() {
        let transition = plain();
        let values = transition.as_plain_redemption().unwrap();
        assert_eq!((values.id, values.at), (transition.event.id, transition.event.at));
        assert_eq!((values.user.as_str(), values.username.as_str()), ("u-9", "anna"));
        let elsewhere = changed(|t| t.scope = Scope::Division(Division::new("sales").unwrap()));
        assert!(elsewhere.as_plain_redemption().is_some(), "the scope is not part of the shape");
    }

    #[test]
    fn every_deviation_takes_the_general_path() {
        let other = EventId::from_bytes([8; 16]);
        let ben = || UserId::new("u-10").unwrap();
        for (name, transition) in [
            ("target", changed(|t| t.target = Target::Id(sample::invitation().id))),
            ("no digest", changed(|t| t.target = Target::Code(Vec::new()))),
            (
                "quota",
                changed(|t| {
                    let (of, max) = (QuotaOf::Inviter(ben()), std::num::NonZeroU32::MIN);
                    t.quotas.push(Quota { of, max, adds: 1, now: sample::at(0) });
                }),
            ),
            (
                "other change",
                changed(|t| t.change = Change::Reinstate { grantor: Inviter::System }),
            ),
            (
                "lease",
                changed(|t| {
                    if let Change::Redeem { taken_over_from, .. } = &mut t.change {
                        *taken_over_from = Some(ConsumedLease::Own { lease: other });
                    }
                }),
            ),
            ("event id", changed(|t| t.event.id = other)),
            ("event time", changed(|t| t.event.at = sample::at(3_001))),
            ("action", changed(|t| t.event.action = Action::Reserve)),
            ("outcome", changed(|t| t.event.outcome = EventOutcome::Refused)),
            ("reason", changed(|t| t.event.reason = Some(Reason::Used))),
            ("detail", changed(|t| t.event.detail = Detail::none().with("a", "b"))),
            ("performer", changed(|t| t.event.performer = Performer::System { name: None })),
            (
                "performer's name",
                changed(|t| {
                    let (user, username) = (UserId::new("u-9"), Username::new("ben"));
                    let (user, username) = (user.unwrap(), username.unwrap());
                    t.event.performer = Performer::Redeemer { user, username };
                }),
            ),
        ] {
            assert_eq!(transition.as_plain_redemption(), None, "{name}");
        }
        let decided = plain().guard.conditions().to_vec();
        let with_guard = |conditions| changed(|t| t.guard = Guard::new(conditions));
        for n in 0..decided.len() {
            let mut less = decided.clone();
            less.remove(n);
            assert_eq!(with_guard(less).as_plain_redemption(), None, "without condition {n}");
            let mut doubled = decided.clone();
            doubled.insert(n, decided[n].clone());
            assert_eq!(with_guard(doubled).as_plain_redemption(), None, "condition {n} twice");
        }
        for (n, value) in [
            (0, Condition::FirstUseBy(ben())),
            (4, Condition::NotExpired { now: sample::at(3_001) }),
            (7, Condition::FirstHoldBy(ben())),
            (8, Condition::Version(1)),
        ] {
            let mut other = decided.clone();
            other[n] = value;
            assert_eq!(with_guard(other).as_plain_redemption(), None, "another condition {n}");
        }
    }
}
