//! The results of an import as stored with its key: without codes and addresses.

use serde::{Deserialize, Serialize};

use super::{ImportedRow, RowOutcome, RowWarning};
use crate::{
    error::Error,
    field_error::{FieldError, ValidationErrors},
    policy::Right,
    quota::QuotaOf,
    refusal::{Refusal, Refused, Verdict},
    request::RequestResults,
    store_error::{StoreError, StoreErrorKind},
    text::{Division, Role, UserId},
};

/// The maximum number of errors stored for one row, and of bytes in each message.
const MAX_MISTAKES: usize = 8;
const MAX_MESSAGE: usize = 250;

/// The fields of a draft that can be invalid.
const FIELDS: [&str; 8] = [
    "email",
    "email_domain",
    "role",
    "division",
    "expires_at",
    "expires_in_days",
    "max_uses",
    "metadata",
];

#[derive(Serialize, Deserialize)]
struct KeptRow {
    outcome: KeptOutcome,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<KeptWarning>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeptOutcome {
    Created,
    Skipped,
    Unreadable,
    Invalid(Vec<(String, String)>),
    Forbidden(Right),
    RoleNotGrantable(Role),
    UnknownRole(Role),
    DivisionNotAllowed(Division),
    InviterQuota(UserId, std::num::NonZeroU32),
    DivisionQuota(Division, std::num::NonZeroU32),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeptWarning {
    WithoutAddress,
    Repeated(usize),
    RepeatedEarlier,
    AlreadyInvited,
}

/// Serializes the results of the rows: those at `created` are about to be created, those
/// of `full` to be refused.
pub(super) fn write(
    rows: &[ImportedRow],
    created: &[usize],
    full: &[(usize, Verdict)],
) -> RequestResults {
    let kept = |(n, row): (usize, &ImportedRow)| {
        let refused = full.binary_search_by_key(&n, |(refused, _)| *refused).ok().map(|n| &full[n]);
        let outcome = match (&row.outcome, refused) {
            _ if created.binary_search(&n).is_ok() => KeptOutcome::Created,
            (_, Some((_, verdict))) => refusal(verdict.refusal()),
            (RowOutcome::Invalid(found), _) => KeptOutcome::Invalid(mistakes(found)),
            (RowOutcome::Refused(refused), _) => refusal(refused.refusal()),
            (RowOutcome::Skipped, _) => KeptOutcome::Skipped,
            _ => KeptOutcome::Unreadable,
        };
        KeptRow { outcome, warnings: row.warnings.iter().map(warning).collect() }
    };
    let kept: Vec<_> = rows.iter().enumerate().map(kept).collect();
    // The value consists of texts and numbers only, so serializing it cannot fail.
    RequestResults::from_bytes(serde_json::to_vec(&kept).unwrap_or_default())
}

/// Restores the rows, with what was created for them, in the same order. `row` makes a row of what
/// was created, or of the other outcome, and of the warnings.
pub(super) fn read<C, R>(
    results: &RequestResults,
    created: impl IntoIterator<Item = C>,
    row: impl Fn(Result<C, RowOutcome>, Vec<RowWarning>) -> R,
) -> Result<Vec<R>, Error> {
    let kept: Vec<KeptRow> =
        serde_json::from_slice(results.as_bytes()).map_err(|why| corrupt().because(why))?;
    let mut created = created.into_iter();
    let mut rows = Vec::with_capacity(kept.len());
    for KeptRow { outcome, warnings } in kept {
        let refused = |refusal| RowOutcome::Refused(Refused::new(refusal, Vec::new()));
        let outcome = match outcome {
            KeptOutcome::Created => {
                let created = created.next().ok_or_else(corrupt)?;
                rows.push(row(Ok(created), warnings_of(warnings)));
                continue;
            }
            KeptOutcome::Skipped => RowOutcome::Skipped,
            KeptOutcome::Unreadable => RowOutcome::Unreadable,
            KeptOutcome::Invalid(found) => RowOutcome::Invalid(ValidationErrors::new(
                found.into_iter().map(|(field, message)| invalid(&field, message)).collect(),
            )),
            KeptOutcome::Forbidden(right) => refused(Refusal::Forbidden { right }),
            KeptOutcome::RoleNotGrantable(role) => refused(Refusal::RoleNotGrantable { role }),
            KeptOutcome::UnknownRole(role) => refused(Refusal::UnknownRole { role }),
            KeptOutcome::DivisionNotAllowed(division) => {
                refused(Refusal::DivisionNotAllowed { division })
            }
            KeptOutcome::InviterQuota(user, max) => {
                refused(Refusal::QuotaExceeded { of: QuotaOf::Inviter(user), max })
            }
            KeptOutcome::DivisionQuota(division, max) => {
                refused(Refusal::QuotaExceeded { of: QuotaOf::Division(division), max })
            }
        };
        rows.push(row(Err(outcome), warnings_of(warnings)));
    }
    // A purge of any of its invitations removes the key, so the number of invitations
    // must match.
    if created.next().is_some() { Err(corrupt().into()) } else { Ok(rows) }
}

fn warnings_of(kept: Vec<KeptWarning>) -> Vec<RowWarning> {
    let warning = |kept| match kept {
        KeptWarning::WithoutAddress => RowWarning::WithoutAddress,
        KeptWarning::Repeated(first) => RowWarning::Repeated { first },
        KeptWarning::RepeatedEarlier => RowWarning::RepeatedEarlier,
        KeptWarning::AlreadyInvited => RowWarning::AlreadyInvited,
    };
    kept.into_iter().map(warning).collect()
}

pub(super) fn corrupt() -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, "import")
}

fn mistakes(found: &ValidationErrors) -> Vec<(String, String)> {
    let kept = |invalid: &FieldError| {
        let message = invalid.message();
        (invalid.field().to_owned(), message[..message.floor_char_boundary(MAX_MESSAGE)].to_owned())
    };
    found.errors().iter().take(MAX_MISTAKES).map(kept).collect()
}

fn invalid(field: &str, message: String) -> FieldError {
    let known = FIELDS.into_iter().find(|known| *known == field);
    FieldError::new(known.unwrap_or("drafts"), message)
}

fn refusal(refusal: &Refusal) -> KeptOutcome {
    match refusal {
        Refusal::Forbidden { right } => KeptOutcome::Forbidden(*right),
        Refusal::RoleNotGrantable { role } => KeptOutcome::RoleNotGrantable(role.clone()),
        Refusal::UnknownRole { role } => KeptOutcome::UnknownRole(role.clone()),
        Refusal::DivisionNotAllowed { division } => {
            KeptOutcome::DivisionNotAllowed(division.clone())
        }
        Refusal::QuotaExceeded { of: QuotaOf::Inviter(user), max } => {
            KeptOutcome::InviterQuota(user.clone(), *max)
        }
        Refusal::QuotaExceeded { of: QuotaOf::Division(division), max } => {
            KeptOutcome::DivisionQuota(division.clone(), *max)
        }
        // Among the rows to be created, no other refusal can occur.
        _ => KeptOutcome::Forbidden(Right::Create),
    }
}

fn warning(warning: &RowWarning) -> KeptWarning {
    match warning {
        RowWarning::WithoutAddress => KeptWarning::WithoutAddress,
        RowWarning::Repeated { first } => KeptWarning::Repeated(*first),
        RowWarning::RepeatedEarlier => KeptWarning::RepeatedEarlier,
        RowWarning::AlreadyInvited => KeptWarning::AlreadyInvited,
    }
}
