//! The table of search terms.

use invitation_core::{Indexed, Record, StoreError, StoredTerms, Username};

use super::{Session, insert};
use crate::{
    dialect::Dialect,
    effects,
    statement::Statement,
    values::{InputRow, Value},
};

/// The part number of the address. The name of the n-th redeemer has part number n.
pub(super) const ADDRESS: i64 = 0;

/// One search term of an invitation.
pub(crate) struct TermRow<'a> {
    text: String,
    invitation: &'a Record,
    part: i64,
}

impl InputRow for TermRow<'_> {
    fn is_secret(&self) -> bool {
        self.part == ADDRESS
    }

    fn values(&self) -> Vec<Value<'_>> {
        vec![
            Value::text(self.text.as_str()),
            Value::text(self.invitation.division.as_str()),
            Value::int(self.invitation.created_at.as_micros()),
            Value::blob(self.invitation.id.as_bytes().as_slice()),
            Value::int(self.part),
        ]
    }
}

/// Returns the rows of some terms of an invitation.
fn rows(terms: Vec<String>, invitation: &Record, part: i64) -> impl Iterator<Item = TermRow<'_>> {
    terms.into_iter().map(move |text| TermRow { text, invitation, part })
}

/// Returns the rows of a new invitation.
pub(super) fn all_of(invitation: &Record) -> impl Iterator<Item = TermRow<'_>> {
    let StoredTerms { address, used_by } = invitation.search_terms();
    rows(address, invitation, ADDRESS).chain(rows(used_by, invitation, invitation.uses.into()))
}

/// Returns the rows of the latest redeemer's name.
pub(crate) fn of_latest_name(invitation: &Record) -> impl Iterator<Item = TermRow<'_>> {
    rows(invitation.search_terms().used_by, invitation, invitation.uses.into())
}

pub(crate) async fn write<DB: Dialect>(
    on: &mut Session<'_, DB>,
    terms: &[TermRow<'_>],
) -> Result<(), StoreError> {
    let table = &on.names.search_terms;
    insert::write_rows(on, table, effects::TERM, terms, "").await
}

/// Replaces the terms of an address that has changed, and adds those of a new redeemer's name. The
/// terms of a deleted invitation stay until the purge: a code may have 100,000 redeemers.
pub(super) async fn follow<DB: Dialect>(
    on: &mut Session<'_, DB>,
    moved: Indexed,
    invitation: &Record,
) -> Result<(), StoreError> {
    let mut new = Vec::new();
    if moved.address {
        forget(on, invitation, ADDRESS).await?;
        new.extend(rows(invitation.search_terms().address, invitation, ADDRESS));
    }
    if moved.used_by {
        new.extend(of_latest_name(invitation));
    }
    write(on, &new).await
}

/// Removes the terms of the name of an earlier redeemer.
///
/// A redemption does not know its part. Redeemers whose names have the same terms have equal
/// parts, so the terms of any of them are removed.
pub(super) async fn forget_name<DB: Dialect>(
    on: &mut Session<'_, DB>,
    invitation: &Record,
    name: &Username,
) -> Result<(), StoreError> {
    let terms = name.search_terms();
    let Some(first) = terms.first() else { return Ok(()) };
    let (table, number) = (&on.names.search_terms, terms.len());
    let mut s = Statement::new(format!(
        "SELECT w.part FROM {table} f JOIN {table} w ON w.invitation = f.invitation \
         AND w.part = f.part WHERE f.term = "
    ));
    s.one_off();
    s.text(first.as_str()).sql(" AND f.division = ").text(invitation.division.as_str());
    s.sql(" AND f.created_at = ").int(invitation.created_at.as_micros());
    s.sql(" AND f.invitation = ").blob(invitation.id.as_bytes());
    s.sql(" AND f.part > ").int(ADDRESS).sql(" AND f.part < ").int(i64::from(invitation.uses));
    s.sql(format_args!(
        " GROUP BY w.part HAVING COUNT(*) = {number} AND COUNT(CASE WHEN w.term IN "
    ));
    s.list(&terms, |s, term| {
        s.text(term.as_str());
    });
    s.sql(format_args!(" THEN 1 END) = {number} ORDER BY w.part LIMIT 1"));
    let part = s.first(on, |c| c.in_table("search_terms").int("part")).await?;
    let Some(part) = part else { return Ok(()) };
    forget(on, invitation, part).await
}

/// Removes the terms of one part.
pub(super) async fn forget<DB: Dialect>(
    on: &mut Session<'_, DB>,
    invitation: &Record,
    part: i64,
) -> Result<(), StoreError> {
    let mut s =
        Statement::new(format!("DELETE FROM {} WHERE invitation = ", on.names.search_terms));
    s.blob(invitation.id.as_bytes()).sql(" AND part = ").int(part);
    s.run(on).await?;
    Ok(())
}
