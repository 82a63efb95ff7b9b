//! The terms that a search looks through.

use invitation_core::{Invitation, Redemption};

use crate::{
    dialect::Dialect,
    names::Names,
    statement::Statement,
    values::{Record, Values},
};

use super::insert;

/// The part of the terms of the address. Those of the redeemer who took the n-th use are
/// part n.
const ADDRESS: i64 = 0;

/// One term of an invitation.
pub(super) struct Word<'a> {
    text: String,
    invitation: &'a Invitation,
    part: i64,
}

const COLUMNS: &str = "word, division, created_at, invitation, part";

impl Record for Word<'_> {
    fn is_secret(&self) -> bool {
        self.part == ADDRESS
    }

    fn write(&self, v: &mut impl Values) {
        v.text(self.text.as_str());
        v.text(self.invitation.division.as_str());
        v.int(self.invitation.created_at.as_micros());
        v.blob(self.invitation.id.as_bytes().as_slice());
        v.int(self.part);
    }
}

fn of_address(invitation: &Invitation) -> impl Iterator<Item = Word<'_>> {
    let terms = invitation.binding.search_terms();
    terms.into_iter().map(move |text| Word { text, invitation, part: ADDRESS })
}

fn of_used_by(invitation: &Invitation) -> impl Iterator<Item = Word<'_>> {
    let of = |last: &Redemption| last.username.search_terms();
    let terms = invitation.last_use.as_ref().map_or_else(Vec::new, of);
    terms.into_iter().map(move |text| Word { text, invitation, part: invitation.uses.into() })
}

/// Those of a new invitation.
pub(super) fn all_of(invitation: &Invitation) -> impl Iterator<Item = Word<'_>> {
    of_address(invitation).chain(of_used_by(invitation))
}

pub(super) async fn write<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    words: &[Word<'_>],
) -> sqlx::Result<()> {
    insert::write_rows::<DB, _>(conn, &names.words, COLUMNS, words, "").await
}

/// After another use.
pub(super) async fn used_by_changed<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    invitation: &Invitation,
) -> sqlx::Result<()> {
    if invitation.uses > 1 {
        forget::<DB>(conn, names, invitation, " AND part <> 0").await?;
    }
    write::<DB>(conn, names, &of_used_by(invitation).collect::<Vec<_>>()).await
}

pub(super) async fn address_changed<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    invitation: &Invitation,
) -> sqlx::Result<()> {
    forget::<DB>(conn, names, invitation, " AND part = 0").await?;
    write::<DB>(conn, names, &of_address(invitation).collect::<Vec<_>>()).await
}

/// No search finds it any more.
pub(super) async fn forget_all<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    invitation: &Invitation,
) -> sqlx::Result<()> {
    forget::<DB>(conn, names, invitation, "").await
}

async fn forget<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    invitation: &Invitation,
    which: &str,
) -> sqlx::Result<()> {
    let mut s = Statement::<DB>::new(format!("DELETE FROM {} WHERE invitation = ", names.words));
    s.blob(invitation.id.as_bytes()).sql(which);
    s.run(conn).await?;
    Ok(())
}
