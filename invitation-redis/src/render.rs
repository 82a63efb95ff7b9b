//! Encodes transitions for the scripts: a number for each condition and each change,
//! followed by its arguments. The core defines their meaning (`Condition::holds`,
//! `Change::apply_to`), and `lua/apply.lua` implements it again.

use invitation_core::{
    BindingParts, Change, Condition, ConsumedLease, CorrelationId, EmailKey, Guard, Quota, QuotaOf,
    Role, RolePair, Scope, Target, Transition, UserId,
};

use crate::{
    record,
    wire::{self, Packed},
};

/// Encodes a transition as an argument of `apply.lua`.
pub(crate) fn transition(transition: &Transition) -> Vec<u8> {
    let (change, event) = (transition.change(), transition.event());
    let mut p = Packed::array(17);
    let (id, digests) = target(transition.target());
    p.opt_bytes(id.as_ref().map(<[u8; 16]>::as_slice)).bytes(&digests);
    scope(&mut p, transition.scope());
    guard(&mut p, transition.guard());
    match transition.quotas() {
        [] => _ = p.none(),
        some => quotas(&mut p, some),
    }
    write_change(&mut p, change);
    let pieces = record::event_in_pieces(event);
    p.opt_text(transition.redeemer().map(UserId::as_str))
        .flag(change.ends_all_leases())
        .flag(change.changes_terms())
        .bytes(event.id.as_bytes())
        .time(event.at)
        .opt_text(event.performer.parts().user)
        .bytes(&pieces.until_invitation)
        .bytes(&[pieces.context.as_slice(), &pieces.detail].concat());
    match change.taken_over_from() {
        Some(ConsumedLease::Expired { .. } | ConsumedLease::Mailbox { .. }) => {
            let detail = event.taken_over_from_template();
            p.begin(3).bytes(&pieces.context).text(detail.before()).text(detail.after())
        }
        Some(ConsumedLease::Own { .. }) | None => p.none(),
    };
    let correlation = event.context.correlation.as_ref().map(CorrelationId::as_str);
    p.flag(change.shares_event()).opt_text(correlation);
    p.done()
}

/// Returns the id of a target, or its digests one after another.
pub(crate) fn target(target: &Target) -> (Option<[u8; 16]>, Vec<u8>) {
    match target {
        Target::Id(id) => (Some(*id.as_bytes()), Vec::new()),
        Target::Code(digests) => {
            (None, digests.iter().flat_map(|digest| *digest.as_bytes()).collect())
        }
    }
}

pub(crate) fn scope<'p>(p: &'p mut Packed, scope: &Scope) -> &'p mut Packed {
    match scope {
        Scope::All => p.none(),
        Scope::Division(division) => p.text(division.as_str()),
    }
}

/// Encodes all conditions as one array, each followed by its arguments.
fn guard(p: &mut Packed, guard: &Guard) {
    let conditions = guard.conditions();
    p.begin(conditions.iter().map(|condition| 1 + needs(condition)).sum());
    for condition in conditions {
        write_condition(p, condition);
    }
}

fn needs(condition: &Condition) -> usize {
    match condition {
        Condition::NotDeleted
        | Condition::UsesLeft
        | Condition::NotRevoked
        | Condition::UseFree => 0,
        Condition::FirstUseBy(_)
        | Condition::NotExpired { .. }
        | Condition::Grantable(_)
        | Condition::Version(_)
        | Condition::FirstHoldBy(_)
        | Condition::MailboxUnused(_)
        | Condition::LeaseExpired { .. } => 1,
        Condition::AddressProved(_)
        | Condition::HoldsLease { .. }
        | Condition::OwnLeaseExpired { .. }
        | Condition::MailboxLeaseExpired { .. } => 2,
    }
}

fn write_condition(p: &mut Packed, condition: &Condition) {
    match condition {
        Condition::FirstUseBy(user) => p.int(1).text(user.as_str()),
        Condition::NotDeleted => p.int(2),
        Condition::UsesLeft => p.int(3),
        Condition::NotRevoked => p.int(4),
        Condition::NotExpired { now } => p.int(5).time(*now),
        Condition::AddressProved(key) => {
            let (key, domain) = (key.as_ref(), key.as_ref().map(EmailKey::domain));
            p.int(6).opt_text(key.map(EmailKey::as_str)).opt_text(domain)
        }
        Condition::Grantable(pairs) => p.int(7).text(&grantable(pairs)),
        Condition::Version(version) => p.int(8).bytes(&version.to_be_bytes()),
        Condition::FirstHoldBy(user) => p.int(9).text(user.as_str()),
        Condition::UseFree => p.int(10),
        Condition::LeaseExpired { now } => p.int(11).time(*now),
        Condition::HoldsLease { lease, user } => {
            p.int(12).text(user.as_str()).bytes(lease.as_bytes())
        }
        Condition::OwnLeaseExpired { user, now } => p.int(13).text(user.as_str()).time(*now),
        Condition::MailboxUnused(mailbox) => p.int(14).text(mailbox.as_str()),
        Condition::MailboxLeaseExpired { mailbox, now } => {
            p.int(15).text(mailbox.as_str()).time(*now)
        }
    };
}

/// Encodes role pairs as a text that the script searches. Two NUL precede each pair and
/// follow the last; one separates the two roles, which contain none.
fn grantable(pairs: &[RolePair]) -> String {
    let mut text = String::new();
    for RolePair { grantor, granted } in pairs {
        text.extend(["\0\0", grantor.as_str(), "\0", granted.as_str()]);
    }
    text + "\0\0"
}

pub(crate) fn quotas(p: &mut Packed, quotas: &[Quota]) {
    p.begin(quotas.len());
    for Quota { of, max, adds, now } in quotas {
        let (kind, name) = match of {
            QuotaOf::Inviter(user) => (1, user.as_str()),
            QuotaOf::Division(division) => (2, division.as_str()),
        };
        p.begin(5).int(kind).text(name).int(max.get()).int(*adds).bytes(&wire::after(*now));
    }
}

fn write_change(p: &mut Packed, change: &Change) {
    match change {
        Change::Redeem { id, user, username, at, address, taken_over_from } => {
            held(p.begin(9).int(1), *taken_over_from)
                .bytes(id.as_bytes())
                .text(user.as_str())
                .text(username.as_str())
                .time(*at)
                .opt_bytes(change.own_lease().as_ref().map(|id| id.as_bytes().as_slice()))
                .text(&record::joined(&username.search_terms()))
                .opt_text(address.as_ref().map(EmailKey::as_str))
        }
        Change::Hold { lease, taken_over_from } => {
            record::write_lease(held(p.begin(3).int(2), *taken_over_from), lease)
        }
        Change::Release { lease, .. } => {
            held(p.begin(2).int(3), Some(ConsumedLease::Own { lease: *lease }))
        }
        Change::Amend { binding, role, expires_at, grantor } => {
            p.begin(5).int(4);
            match grantor {
                Some(grantor) => record::write_inviter(p, grantor),
                None => p.none(),
            };
            match binding {
                Some(binding) => {
                    let BindingParts { email, email_key, domain } = binding.parts();
                    p.begin(4).opt_text(email).opt_text(email_key).opt_text(domain);
                    p.text(&record::joined(&binding.search_terms()))
                }
                None => p.none(),
            };
            p.opt_text(role.as_ref().map(Role::as_str)).opt_time(*expires_at)
        }
        Change::Rotate { digest, tag, sealed, grantor } => {
            record::write_inviter(p.begin(5).int(5), grantor)
                .bytes(digest.as_bytes())
                .bytes(tag.as_bytes())
                .bytes(sealed.as_bytes())
        }
        Change::Revoke(revocation) => {
            record::write_revocation(p.begin(3).int(6).none(), revocation)
        }
        Change::Reinstate { grantor } => record::write_inviter(p.begin(2).int(7), grantor),
        Change::Delete { at } => p.begin(3).int(8).none().time(*at),
        Change::Reseal { digest, tag, sealed } => p
            .begin(5)
            .int(9)
            .none()
            .bytes(digest.as_bytes())
            .bytes(tag.as_bytes())
            .bytes(sealed.as_bytes()),
    };
}

fn held(p: &mut Packed, held: Option<ConsumedLease>) -> &mut Packed {
    match held {
        None => p.none(),
        Some(ConsumedLease::Own { lease }) => p.begin(2).int(1).bytes(lease.as_bytes()),
        Some(ConsumedLease::Expired { now }) => p.begin(2).int(2).time(now),
        Some(ConsumedLease::Mailbox { now }) => p.begin(2).int(3).time(now),
    }
}
