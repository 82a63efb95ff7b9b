//! The assignments of a change.

use invitation_core::{
    BindingParts, Change, CodeDigest, CodeTag, Inviter, InviterParts, SealedCode,
};

use crate::{
    dialect::Dialect,
    effects::{self, Use},
    names::Names,
    statement::Statement,
    values::Value,
};

/// Writes the assignments of an update.
pub(crate) fn change<DB: Dialect>(s: &mut Statement<DB>, change: &Change, names: &Names) {
    match change {
        Change::Redeem { taken_over_from, .. } => {
            if taken_over_from.is_some() {
                s.sql("held = held - 1, ");
            }
            s.sql("uses = uses + 1, ");
            effects::set_latest_use(s, names, Use::of(change).as_ref());
            return;
        }
        Change::Hold { taken_over_from, .. } => {
            s.sql(if taken_over_from.is_some() { DB::LOCK_BY_UPDATE } else { "held = held + 1" });
            return;
        }
        Change::Release { .. } => {
            s.sql("held = held - 1");
            return;
        }
        Change::Amend { binding, role, expires_at, grantor } => {
            if let Some(binding) = binding {
                let BindingParts { email, email_key, domain } = binding.parts();
                let columns =
                    [("email", email), ("email_key", email_key), ("email_domain", domain)];
                s.assignments(columns.map(|(column, text)| (column, Value::text(text))));
                s.sql(", ");
            }
            if let Some(role) = role {
                s.sql("role = ").text(role.as_str()).sql(", ");
            }
            if let Some(expires_at) = expires_at {
                s.sql("expires_at = ").int(expires_at.as_micros()).sql(", ");
            }
            if let Some(grantor) = grantor {
                set_grantor(s, grantor);
            }
        }
        Change::Rotate { digest, tag, sealed, grantor } => {
            set_code(s, digest, *tag, sealed);
            set_grantor(s, grantor);
        }
        Change::Revoke(revocation) => {
            s.sql("revoked_at = ").int(revocation.at.as_micros());
            s.sql(", revoked_reason = ").text(revocation.reason.as_deref()).sql(", ");
        }
        Change::Reinstate { grantor } => {
            s.sql("revoked_at = NULL, revoked_reason = NULL, ");
            set_grantor(s, grantor);
        }
        Change::Delete { at } => {
            s.sql("deleted_at = ").int(at.as_micros()).sql(", ");
        }
        Change::Reseal { digest, tag, sealed } => set_code(s, digest, *tag, sealed),
    }
    if change.ends_all_leases() {
        s.sql("held = 0, ");
    }
    s.sql(if change.changes_terms() { "version = version + 1" } else { "version = version" });
}

fn set_code<DB: Dialect>(
    s: &mut Statement<DB>,
    digest: &CodeDigest,
    tag: CodeTag,
    sealed: &SealedCode,
) {
    s.assignments([
        ("digest", Value::blob(digest.as_bytes().as_slice())),
        ("tag", Value::blob(tag.as_bytes().as_slice())),
        ("sealed", Value::blob(sealed.as_bytes())),
    ]);
    s.sql(", ");
}

fn set_grantor<DB: Dialect>(s: &mut Statement<DB>, grantor: &Inviter) {
    let InviterParts { user, role, name } = grantor.parts();
    let columns = [("grantor", user), ("grantor_role", role), ("grantor_name", name)];
    s.assignments(columns.map(|(column, text)| (column, Value::text(text)))).sql(", ");
}
