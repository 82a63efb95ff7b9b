//! The default policy's table of rights, written down a second time, and the calls that
//! it covers.

use std::num::NonZeroU32;

use invitation_core::{
    Action, Actor, Amendment, Criteria, Draft, Error, EventCriteria, Expiry, IfVersion,
    InvitationId, Inviter, Paging, Reason, Record, Right,
};

use crate::support::{
    harness::{Harness, fresh_actor},
    samples::{division, domain, role},
};

/// Whether the default policy knows a role.
pub(super) fn is_known(role: &str) -> bool {
    matches!(role, "admin" | "manager" | "staff")
}

/// An actor's role and reach, based in sales.
#[derive(Clone, Copy, Debug)]
pub(super) struct RoleCase {
    role: &'static str,
    /// Whether all divisions are within reach.
    everywhere: bool,
}

pub(super) const DIVISIONS: [&str; 2] = ["sales", "hr"];

pub(super) fn all_roles() -> [RoleCase; 6] {
    let at_home = |role| RoleCase { role, everywhere: false };
    [
        RoleCase { role: "admin", everywhere: true },
        at_home("admin"),
        at_home("manager"),
        at_home("staff"),
        at_home("root"),
        at_home("Manager"),
    ]
}

impl RoleCase {
    /// Returns a new actor without earlier calls.
    pub(super) fn actor(self, n: usize) -> Actor {
        fresh_actor(n, self.role, (!self.everywhere).then_some("sales"))
    }

    pub(super) fn role(self) -> &'static str {
        self.role
    }

    pub(super) fn reaches(self, division: &str) -> bool {
        self.everywhere || division == "sales"
    }

    /// Whether the default policy grants the right. A right that is not listed is not
    /// granted.
    fn has(self, right: Right) -> bool {
        match self.role {
            "admin" => true,
            "manager" => matches!(right, Right::Create | Right::View | Right::Copy),
            _ => false,
        }
    }

    fn grants(self, carried: &str) -> bool {
        match self.role {
            "admin" => matches!(carried, "admin" | "manager" | "staff"),
            "manager" => carried == "staff",
            _ => false,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Attempt {
    Create,
    CreateMany,
    CreateForMany,
    CreateForDomain,
    List,
    Count,
    Audit,
    Reservations,
    Export,
    RevokeAll,
    Purge,
    Get,
    Redemptions,
    Copy,
    Amend,
    Rotate,
    Revoke,
    Reinstate,
    Delete,
}

pub(super) fn attempts() -> [Attempt; 19] {
    [
        Attempt::Create,
        Attempt::CreateMany,
        Attempt::CreateForMany,
        Attempt::CreateForDomain,
        Attempt::List,
        Attempt::Count,
        Attempt::Audit,
        Attempt::Reservations,
        Attempt::Export,
        Attempt::RevokeAll,
        Attempt::Purge,
        Attempt::Get,
        Attempt::Redemptions,
        Attempt::Copy,
        Attempt::Amend,
        Attempt::Rotate,
        Attempt::Revoke,
        Attempt::Reinstate,
        Attempt::Delete,
    ]
}

impl Attempt {
    pub(super) fn creates(self) -> bool {
        matches!(
            self,
            Self::Create | Self::CreateMany | Self::CreateForMany | Self::CreateForDomain
        )
    }

    pub(super) fn is_on_one(self) -> bool {
        !self.creates() && !self.is_on_many() && !self.looks()
    }

    /// Whether the attempt changes all invitations of a division.
    pub(super) fn is_on_many(self) -> bool {
        matches!(self, Self::RevokeAll | Self::Purge)
    }

    /// Whether the attempt reads the invitations or events of a division.
    pub(super) fn looks(self) -> bool {
        matches!(self, Self::List | Self::Count | Self::Audit | Self::Reservations | Self::Export)
    }

    /// Whether the call names a division or is about one invitation.
    pub(super) fn names_a_division(self) -> bool {
        self != Self::Purge
    }

    /// Returns the roles that an invitation carries when the attempt is tried with it.
    pub(super) fn carried(self) -> &'static [&'static str] {
        if self.creates() || self.is_on_one() {
            &["staff", "manager", "admin", "root"]
        } else {
            &["staff"]
        }
    }

    /// Returns the right that the role needs for any call of this kind.
    pub(super) fn right(self) -> Right {
        match self {
            Self::Create | Self::CreateForMany | Self::CreateForDomain => Right::Create,
            Self::CreateMany => Right::Bulk,
            Self::List | Self::Count | Self::Get | Self::Redemptions => Right::View,
            Self::Reservations => Right::Reservations,
            Self::Export => Right::Export,
            Self::Purge => Right::Purge,
            Self::Audit => Right::Audit,
            Self::Copy => Right::Copy,
            Self::Amend => Right::Amend,
            Self::Rotate => Right::Rotate,
            Self::Revoke | Self::RevokeAll => Right::Revoke,
            Self::Reinstate => Right::Reinstate,
            Self::Delete => Right::Delete,
        }
    }

    pub(super) fn action(self) -> Action {
        match self {
            Self::Create | Self::CreateMany | Self::CreateForMany | Self::CreateForDomain => {
                Action::Create
            }
            Self::List
            | Self::Count
            | Self::Export
            | Self::Get
            | Self::Redemptions
            | Self::Reservations => Action::View,
            Self::Purge => Action::Purge,
            Self::Audit => Action::Audit,
            Self::Copy => Action::Copy,
            Self::Amend => Action::Amend,
            Self::Rotate => Action::Rotate,
            Self::Revoke | Self::RevokeAll => Action::Revoke,
            Self::Reinstate => Action::Reinstate,
            Self::Delete => Action::Delete,
        }
    }

    /// Returns the number of invitations that a success creates.
    pub(super) fn created(self) -> usize {
        match self {
            Self::CreateMany => 2,
            _ => usize::from(self.creates()),
        }
    }

    /// Returns the number of events that a success writes: one per invitation that is
    /// created, changed or copied.
    pub(super) fn events(self) -> usize {
        match self {
            Self::Get | Self::Redemptions => 0,
            _ if self.looks() => 0,
            _ if self.creates() => self.created(),
            _ => 1,
        }
    }

    /// Performs the call.
    pub(super) async fn make(
        self,
        harness: &Harness,
        actor: &Actor,
        within: &str,
        carried: &str,
        on: Option<&Record>,
    ) -> Result<(), Error> {
        let service = &harness.service;
        let draft = Draft::new().with_role(role(carried)).in_division(division(within));
        let criteria = Criteria::new().in_division(division(within));
        let id = on.map_or_else(|| InvitationId::from_bytes([0; 16]), |row| row.id);
        let any = IfVersion::Any;
        match self {
            Self::Create => service.create(actor, draft).await.map(drop),
            Self::CreateMany => {
                service.create_many(actor, vec![draft.clone(), draft]).await.map(drop)
            }
            Self::CreateForMany => {
                let two = NonZeroU32::MIN.saturating_add(1);
                service.create(actor, draft.for_uses(two)).await.map(drop)
            }
            Self::CreateForDomain => {
                let draft = draft.for_domain(domain("example.com"));
                service.create(actor, draft).await.map(drop)
            }
            Self::List => service.list(actor, &criteria, Paging::default()).await.map(drop),
            Self::Export => service.export(actor, &criteria, Paging::default()).await.map(drop),
            Self::Count => service.counts(actor, &criteria).await.map(drop),
            Self::Audit => {
                let criteria = EventCriteria::new().in_division(division(within));
                service.events(actor, &criteria, Paging::default()).await.map(drop)
            }
            Self::Reservations => {
                let within = division(within);
                let first = Paging::default();
                service.reservations(actor, Some(&within), first).await.map(drop)
            }
            Self::RevokeAll => {
                // Excludes invitations that other attempts left in the division.
                let inviter = on.and_then(|row| match &row.inviter {
                    Inviter::User { user, .. } => Some(user.clone()),
                    Inviter::System => None,
                });
                let criteria = inviter.map_or(criteria.clone(), |user| criteria.by_inviter(user));
                service.revoke_all(actor, &criteria, None, Paging::default()).await.map(drop)
            }
            Self::Purge => {
                let age = time::Duration::days(30);
                service.purge(actor, age, NonZeroU32::MIN.saturating_add(99)).await.map(drop)
            }
            Self::Redemptions => service.redemptions(actor, id, Paging::default()).await.map(drop),
            Self::Get => service.get(actor, id).await.map(drop),
            Self::Copy => service.copy(actor, id).await.map(drop),
            Self::Amend => {
                let amendment = Amendment::new().expiring(Expiry::InDays(3));
                service.amend(actor, id, amendment, any).await.map(drop)
            }
            Self::Rotate => service.rotate(actor, id, any).await.map(drop),
            Self::Revoke => service.revoke(actor, id, Some("left"), any).await.map(drop),
            Self::Reinstate => service.reinstate(actor, id, any).await.map(drop),
            Self::Delete => service.delete(actor, id, any).await.map(drop),
        }
    }
}

/// Returns every reason for which the attempt can be denied; the order between them is
/// not specified. Empty if the attempt is allowed.
pub(super) fn expected(
    who: RoleCase,
    attempt: Attempt,
    division: &str,
    carried: &str,
) -> Vec<Reason> {
    // A missing right of the role is reported before every check of the call's arguments.
    if !who.has(attempt.right()) {
        let is_known = is_known(who.role());
        return vec![if is_known { Reason::RightMissing } else { Reason::UnknownRole }];
    }
    if attempt.is_on_one() {
        // An invitation out of reach does not exist for the actor, so nothing else is
        // checked.
        if !who.reaches(division) {
            return vec![Reason::OutOfScope];
        }
        let grants = matches!(attempt, Attempt::Amend | Attempt::Rotate | Attempt::Reinstate);
        return if grants && !who.grants(carried) {
            vec![Reason::RoleNotGrantable]
        } else {
            vec![]
        };
    }
    let mut reasons = Vec::new();
    if attempt.creates() && !who.grants(carried) {
        reasons.push(Reason::RoleNotGrantable);
    }
    if attempt.names_a_division() && !who.reaches(division) {
        reasons.push(Reason::DivisionNotAllowed);
    }
    if attempt == Attempt::CreateForMany && !who.has(Right::MultiUse) {
        reasons.push(Reason::MultiUseNotAllowed);
    }
    if attempt == Attempt::CreateForDomain && !who.has(Right::BindDomain) {
        reasons.push(Reason::DomainNotAllowed);
    }
    reasons
}
