//! Whether an invitation may be sent to its address, and the code that a mail draws.

use super::{Call, form::Form};
use crate::{
    binding::Binding,
    change::Change,
    code::{CodeDigest, CodeTag, SealedCode},
    detail::Detail,
    email::Email,
    event::Action,
    facts::Facts,
    guard::{Condition, Guard},
    id::DeliveryId,
    performer::Performer,
    policy::Policy,
    record::Record,
    refusal::Verdict,
    scope::Scope,
    target::Target,
    time::Timestamp,
    transition::Transition,
};

/// Returns the address that the invitation may be sent to at `now`, or the verdict that refuses
/// it: only an active invitation is sent. No other function defines this rule.
pub(crate) fn recipient(invitation: &Record, now: Timestamp) -> Result<&Email, Verdict> {
    let active = Guard::new(vec![
        Condition::NotDeleted,
        Condition::UsesLeft,
        Condition::NotRevoked,
        Condition::NotExpired { now },
    ]);
    let (facts, target) = (Facts::of(invitation.clone()), Target::Id(invitation.id));
    let refused =
        active.first_refusal(&facts).and_then(|failed| Verdict::explain(failed, &target, &facts));
    match (refused, &invitation.binding) {
        (Some(verdict), _) => Err(verdict),
        (None, Binding::Address(address)) if !address.is_erased() => Ok(address),
        (None, Binding::Address(_) | Binding::Anyone | Binding::Domain(_)) => {
            Err(Verdict::no_address())
        }
    }
}

/// Returns the address that a performer may send the invitation to again. As for a rotation, the
/// performer needs every right that creating the invitation needs.
pub(crate) fn check_resend<'i>(
    invitation: &'i Record,
    performer: &Performer,
    policy: &Policy,
    now: Timestamp,
) -> Result<&'i Email, Verdict> {
    let address = recipient(invitation, now)?;
    Form::of(invitation).check(performer, policy)?;
    Ok(address)
}

/// The code that a worker draws for a mail, in its stored forms.
#[derive(Debug)]
pub(crate) struct DrawnCode {
    pub(crate) digest: CodeDigest,
    pub(crate) tag: CodeTag,
    pub(crate) sealed: SealedCode,
}

/// Decides the replacement of a code that the store does not keep by the one of a mail.
///
/// The user who asked for the mail has replaced the code before, with every right that this needs,
/// and is the grantor since. The worker takes nothing over: the grantor stays.
pub(crate) fn draw(
    current: &Record,
    drawn: DrawnCode,
    delivery: DeliveryId,
    call: &Call,
) -> Transition {
    let guard = Guard::new(vec![
        Condition::NotDeleted,
        // A worker whose claim has ended must not replace the code of the next one.
        Condition::Version(current.version),
        Condition::UsesLeft,
        Condition::NotRevoked,
        Condition::NotExpired { now: call.now },
    ]);
    let DrawnCode { digest, tag, sealed } = drawn;
    let change = Change::Rotate { digest, tag, sealed, grantor: current.grantor.clone() };
    let detail = Detail::none().with("delivery", &delivery.to_string());
    let event = call.done(Action::Rotate, detail);
    let (target, scope) = (Target::Id(current.id), Scope::All);
    Transition { target, scope, guard, quotas: Vec::new(), change, event }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Reason, revocation::Revocation, sample};

    fn for_anna() -> Record {
        let binding = Binding::Address(Email::parse("anna@example.com").unwrap());
        Record { binding, max_uses: std::num::NonZeroU32::MIN, ..sample::invitation() }
    }

    #[test]
    fn recipient_of_an_active_invitation_is_its_address_until_the_expiry() {
        let invitation = for_anna();
        let at = |micros: i64| sample::at(invitation.expires_at.as_micros() + micros);
        assert_eq!(recipient(&invitation, at(-1)).unwrap().as_str(), "anna@example.com");
        for now in [at(0), at(1)] {
            assert_eq!(recipient(&invitation, now).unwrap_err().reason(), Reason::Expired);
        }
    }

    #[test]
    fn recipient_of_an_ended_or_unbound_invitation_is_refused_with_its_reason() {
        let invitation = for_anna();
        let (now, at) = (sample::at(2_000), sample::at(1_500));
        let revocation = Some(Revocation { at, reason: None });
        for (other, reason) in [
            (Record { deleted_at: Some(at), ..invitation.clone() }, Reason::Deleted),
            (Record { uses: 1, ..invitation.clone() }, Reason::Used),
            (Record { revocation, ..invitation.clone() }, Reason::Revoked),
            (Record { binding: Binding::Anyone, ..invitation.clone() }, Reason::NoAddress),
            (
                Record { binding: Binding::Address(Email::erased()), ..invitation.clone() },
                Reason::NoAddress,
            ),
        ] {
            assert_eq!(recipient(&other, now).unwrap_err().reason(), reason);
        }
    }
}
