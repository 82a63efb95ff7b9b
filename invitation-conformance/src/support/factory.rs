//! A factory of invitations, events and transitions, for the tests that call the port.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use invitation_core::{
    Action, Binding, CodeDigest, CodeFormat, CodeTag, Detail, Event, EventId, EventOutcome,
    IfVersion, Insert, Inserted, InvitationCode, InvitationId, Inviter, Limits, NewInvitation,
    Outcome, Performer, Policy, Record, Redeemer, Redemption, RequestContext, ReservationId,
    RolePair, Scope, SealedCode, Sealing, Store, Timestamp, Transition, Username,
    decide::{Call, Command, RedeemCommand, UseSource, decide, decide_redemption},
};

use super::samples::{division, later, role, start, user};
use crate::SeededEntropy;

/// Creates invitations, events and transitions with ids and codes of their own.
pub(crate) struct Factory {
    next: AtomicU64,
    entropy: SeededEntropy,
    sealing: Sealing,
    format: CodeFormat,
    /// The scope of all transitions. With `None`, a transition of the administrator has the scope
    /// of everything, and one of a redeemer has the redeemer's scope.
    scope: Option<Scope>,
}

impl Factory {
    pub(crate) fn new() -> Self {
        Self {
            next: AtomicU64::new(1),
            entropy: SeededEntropy::new(0x6d69_6e74),
            sealing: Sealing::readable(),
            format: CodeFormat::default(),
            scope: None,
        }
    }

    /// Limits all transitions to `scope`. Invitations of the factory stay in sales.
    pub(crate) fn with_scope(self, scope: Scope) -> Self {
        Self { scope: Some(scope), ..self }
    }

    /// Returns 16 unused bytes in the form of a UUID.
    fn id(&self) -> [u8; 16] {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&[0x01, 0x9a, 0xbc, 0xde, 0xf0, 0x12, 0x70, 0x00]);
        bytes[8..].copy_from_slice(&(n | 1 << 63).to_be_bytes());
        bytes
    }

    pub(crate) fn invitation_id(&self) -> InvitationId {
        InvitationId::from_bytes(self.id())
    }

    pub(crate) fn event_id(&self) -> EventId {
        EventId::from_bytes(self.id())
    }

    pub(crate) fn code(&self) -> InvitationCode {
        self.format.generate(&self.entropy).expect("seeded randomness does not end")
    }

    pub(crate) fn seal(
        &self,
        id: InvitationId,
        code: &InvitationCode,
    ) -> (CodeDigest, CodeTag, SealedCode) {
        let sealed = self.sealing.seal(id, code, &self.entropy);
        let sealed = sealed.expect("seeded randomness does not end");
        (self.sealing.digest(code), self.sealing.tag(code), sealed)
    }

    /// Returns the code of an invitation that a factory created.
    pub(crate) fn code_of(&self, invitation: &Record) -> InvitationCode {
        let opened = self.sealing.open(invitation.id, &invitation.sealed, &self.format);
        opened.expect("a code of the factory is readable")
    }

    /// Returns an active single-use invitation for the staff role in sales, created by
    /// the administrator.
    pub(crate) fn invitation(&self) -> Record {
        self.invitation_with_code(&self.code())
    }

    /// Returns the same invitation as [`Self::invitation`], with this code.
    pub(crate) fn invitation_with_code(&self, code: &InvitationCode) -> Record {
        let id = self.invitation_id();
        let (digest, tag, sealed) = self.seal(id, code);
        Record {
            id,
            digest,
            tag,
            sealed,
            binding: Binding::Anyone,
            role: role("staff"),
            division: division("sales"),
            inviter: Inviter::User { user: user("u-admin"), role: role("admin"), name: None },
            // Not the performer of the factory's transitions, so that a lost change is seen.
            grantor: Inviter::User { user: user("u-grantor"), role: role("admin"), name: None },
            created_at: start(),
            expires_at: later(start(), 7 * 86_400_000_000),
            max_uses: NonZeroU32::MIN,
            uses: 0,
            held: 0,
            last_use: None,
            revocation: None,
            deleted_at: None,
            version: 1,
            batch: None,
            metadata: None,
        }
    }

    /// Returns the redemption of an invitation by the user `name`.
    pub(crate) fn redemption(&self, name: &str, at: Timestamp) -> Redemption {
        Redemption {
            id: self.event_id(),
            user: user(&format!("u-{name}")),
            username: Username::new(name).expect("a username"),
            at,
            role: role("staff"),
            lease: None,
            mailbox: None,
        }
    }

    /// Returns an invitation with the event of its creation.
    pub(crate) fn new_invitation(&self, invitation: Record) -> NewInvitation {
        let event = self.event(Action::Create, invitation.created_at).about(&invitation);
        NewInvitation { invitation, event }
    }

    /// Returns an event of the administrator that is about no invitation yet.
    pub(crate) fn event(&self, action: Action, at: Timestamp) -> Event {
        Event {
            id: self.event_id(),
            at,
            performer: Performer::Actor { user: user("u-admin"), role: role("admin"), name: None },
            action,
            outcome: EventOutcome::Succeeded,
            reason: None,
            invitation: None,
            division: None,
            context: RequestContext::default(),
            detail: Detail::none(),
        }
    }

    /// Stores invitations, each with the event of its creation.
    pub(crate) async fn insert(&self, store: &dyn Store, rows: &[Record]) {
        let rows: Vec<_> = rows.iter().map(|row| self.new_invitation(row.clone())).collect();
        let inserted = store.insert(&Insert::of(rows)).await.expect("the store inserts");
        assert_eq!(inserted, Inserted::Stored, "fresh digests are not taken");
    }

    /// Returns a call of the administrator at `now`.
    pub(crate) fn call(&self, now: Timestamp) -> Call {
        Call {
            id: self.event_id(),
            now,
            performer: Performer::Actor { user: user("u-admin"), role: role("admin"), name: None },
            context: RequestContext::default(),
        }
    }

    /// Returns the transition for the administrator's `command`, one day after the start.
    pub(crate) fn transition(&self, command: Command<'_>) -> Transition {
        self.transition_for_version(command, IfVersion::Any)
    }

    /// Returns the same transition as [`Self::transition`], for one version only.
    pub(crate) fn transition_for_version(
        &self,
        command: Command<'_>,
        if_version: IfVersion,
    ) -> Transition {
        let (call, scope) = (self.call(one_day_later()), self.scope.clone().unwrap_or(Scope::All));
        decide(command, scope, if_version, &call, &Policy::default(), &Limits::default())
            .expect("the administrator may do it")
    }

    /// Returns a redemption of `row` at `now` under `ceiling`.
    pub(crate) fn redeem(
        &self,
        row: &Record,
        redeemer: &Redeemer,
        now: Timestamp,
        ceiling: &Arc<[RolePair]>,
    ) -> Transition {
        let (code, source) = (vec![row.digest], UseSource::Free);
        self.transition_of(
            redeemer,
            now,
            RedeemCommand::Redeem { code, redeemer, ceiling, vouched: None, source },
        )
    }

    /// Returns the transition for the redeemer's `command` at `now`.
    pub(crate) fn transition_of(
        &self,
        redeemer: &Redeemer,
        now: Timestamp,
        command: RedeemCommand<'_>,
    ) -> Transition {
        let call = Call { performer: redeemer.performer(), ..self.call(now) };
        let scope = self.scope.clone().unwrap_or_else(|| redeemer.scope());
        decide_redemption(command, scope, &call)
    }

    /// Returns a redemption of `row` that takes the given use.
    pub(crate) fn redeem_with_source(
        &self,
        row: &Record,
        redeemer: &Redeemer,
        now: Timestamp,
        source: UseSource,
    ) -> Transition {
        let (code, ceiling) = (vec![row.digest], Policy::default().ceiling());
        self.transition_of(
            redeemer,
            now,
            RedeemCommand::Redeem { code, redeemer, ceiling: &ceiling, vouched: None, source },
        )
    }

    /// Returns a reservation of `row` from `now` to `until` that takes the given use.
    pub(crate) fn reserve(
        &self,
        row: &Record,
        redeemer: &Redeemer,
        (now, until): (Timestamp, Timestamp),
        source: UseSource,
    ) -> Transition {
        let (code, ceiling) = (vec![row.digest], &Policy::default().ceiling());
        self.transition_of(
            redeemer,
            now,
            RedeemCommand::Reserve { code, redeemer, ceiling, vouched: None, until, source },
        )
    }

    /// Returns the redemption of the use of `row` that this lease holds.
    pub(crate) fn commit(
        &self,
        row: &Record,
        lease: EventId,
        redeemer: &Redeemer,
        now: Timestamp,
    ) -> Transition {
        let reservation = ReservationId::new(row.id, lease);
        let ceiling = &Policy::default().ceiling();
        self.transition_of(
            redeemer,
            now,
            RedeemCommand::Commit { reservation, redeemer, ceiling, vouched: None },
        )
    }

    /// Returns the release of this lease on `row`.
    pub(crate) fn release(
        &self,
        row: &Record,
        lease: EventId,
        redeemer: &Redeemer,
        now: Timestamp,
    ) -> Transition {
        let reservation = ReservationId::new(row.id, lease);
        self.transition_of(redeemer, now, RedeemCommand::Release { reservation, redeemer })
    }

    /// Returns a redemption of `row` one day after the start, under the default policy.
    pub(crate) fn default_redeem(&self, row: &Record, redeemer: &Redeemer) -> Transition {
        self.redeem(row, redeemer, one_day_later(), &Policy::default().ceiling())
    }
}

/// Returns the default time of the calls of a [`Factory`].
pub(crate) fn one_day_later() -> Timestamp {
    later(start(), 86_400_000_000)
}

/// Applies one transition.
pub(crate) async fn apply(store: &dyn Store, transition: &Transition) -> Outcome {
    let mut answers = store.apply(std::slice::from_ref(transition)).await;
    assert_eq!(answers.len(), 1, "one transition gets one answer");
    answers.pop().expect("one answer").expect("the store applies")
}
