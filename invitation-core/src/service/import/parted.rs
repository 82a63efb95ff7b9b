//! Imports whose rows come in parts, so that no part of the library holds all of them.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

use super::{
    DenialEvidence, Duplicates, Import, ImportMode, ImportRow, Imported, ImportedRow, OutcomeKind,
};
use crate::{
    actor::Caller, binding::Binding, email::EmailKey, error::Error, id::BatchId,
    request::IdempotencyKey, service::Invitations, store::Store,
};

/// An import of any size, whose rows come in parts of at most [`Limits::batch`] rows.
///
/// [`Invitations::import_part`] creates the invitations of one part after another. All of them
/// share the batch of the import. Each part is one request under an idempotency key that
/// consists of the import's id and the number of the part. So a program that stopped repeats the
/// import with the same id and the same parts, and nothing is created twice.
///
/// # Duplicates
///
/// A mailbox of an earlier part counts as a duplicate, as one of the same part does. The import
/// remembers 1,800,000 mailboxes, each by a hash of 8 bytes; beyond that it forgets them and
/// begins anew. Then the store still finds those with an active invitation to the same division.
/// Two different mailboxes have the same hash with a probability of less than 10⁻⁷ in a file of a
/// million rows; the second one is then taken for a duplicate.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::import::{ImportRow, OutcomeKind, PartedImport};
/// use invitation::{Actor, Division, Draft, Email, Invitations, MemoryStore, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let invitations = Invitations::new(MemoryStore::new());
/// let admin = Actor::across_divisions(UserId::new("u-0")?, Role::new("admin")?)
///     .based_in(Division::new("sales")?);
/// let staff = |address: &str| -> Result<_, invitation::FieldError> {
///     let draft = Draft::new().with_role(Role::new("staff")?).for_email(Email::parse(address)?);
///     Ok(ImportRow::Draft(draft))
/// };
/// let parts = [["anna@example.com", "ben@example.com"], ["eva@example.com", "ANNA@example.com"]];
///
/// let id = invitations.new_batch()?;
/// let mut created = 0;
/// // The second time, as after a crash, the results are the same and nothing is created.
/// for _ in 0..2 {
///     let mut import = PartedImport::new(id);
///     for part in parts {
///         let rows = part.into_iter().map(staff).collect::<Result<_, _>>()?;
///         let imported = invitations.import_part(&admin, &mut import, rows).await?;
///         let made = imported.rows().iter().filter(|row| row.outcome.kind() == OutcomeKind::Created);
///         created += made.count();
///         assert!(imported.batch().is_none_or(|batch| batch == id));
///     }
/// }
/// assert_eq!(created, 6, "three invitations, twice");
/// # Ok(())
/// # }
/// ```
///
/// [`Limits::batch`]: crate::Limits::batch
#[derive(Debug)]
#[must_use]
pub struct PartedImport {
    id: BatchId,
    mode: ImportMode,
    duplicates: Duplicates,
    expects_addresses: bool,
    parts: u32,
    mailboxes: Mailboxes,
}

/// The hashes of the mailboxes of the parts so far.
#[derive(Default, Debug)]
struct Mailboxes {
    hashes: HashSet<u64>,
    hasher: RandomState,
}

/// What comes before a part of an import; the default is nothing.
#[derive(Clone, Copy, Default)]
pub(super) struct Earlier<'a> {
    /// The batch of all parts.
    pub(super) batch: Option<BatchId>,
    mailboxes: Option<&'a Mailboxes>,
}

impl Earlier<'_> {
    /// Returns whether an earlier part has the mailbox.
    pub(super) fn have(&self, address: &EmailKey) -> bool {
        self.mailboxes.is_some_and(|known| known.hashes.contains(&known.hash(address)))
    }
}

impl Mailboxes {
    /// The maximum number of hashes. A table of 2²¹ places holds them, of 9 bytes each: 19 MB.
    const MAX: usize = 1_800_000;

    fn hash(&self, address: &EmailKey) -> u64 {
        self.hasher.hash_one(address)
    }

    /// Returns the hash of a row's address, if the row has one.
    fn hash_of(&self, row: &ImportRow) -> Option<u64> {
        let ImportRow::Draft(draft) = row else { return None };
        let Binding::Address(email) = &draft.binding else { return None };
        Some(self.hash(email.key()))
    }

    fn remember(&mut self, hash: u64) {
        if self.hashes.len() >= Self::MAX {
            self.hashes.clear();
        }
        self.hashes.insert(hash);
    }
}

impl PartedImport {
    /// Creates an import with this id, which becomes the batch of its invitations: as many rows as
    /// possible are created, and duplicates are skipped.
    pub fn new(id: BatchId) -> Self {
        Self {
            id,
            mode: ImportMode::BestEffort,
            duplicates: Duplicates::default(),
            expects_addresses: false,
            parts: 0,
            mailboxes: Mailboxes::default(),
        }
    }

    /// Sets whether one bad row prevents the creation of all others *of its part*. For all parts,
    /// call [`Invitations::import_part`] inside one transaction.
    pub fn with_mode(self, mode: ImportMode) -> Self {
        Self { mode, ..self }
    }

    /// Sets how duplicates are treated.
    pub fn with_duplicates(self, duplicates: Duplicates) -> Self {
        Self { duplicates, ..self }
    }

    /// Sets whether every row is expected to have an address, as in a file with an address column:
    /// then a row without one gets a warning.
    pub fn expecting_addresses(self, expects_addresses: bool) -> Self {
        Self { expects_addresses, ..self }
    }

    /// Returns the id of the import, which is the batch of its invitations.
    #[must_use]
    pub fn id(&self) -> BatchId {
        self.id
    }

    /// Returns the number of parts so far.
    #[must_use]
    pub fn parts(&self) -> u32 {
        self.parts
    }

    /// Passes over a part that an earlier run has imported, without a call to the store.
    ///
    /// `rows` are the rows that were created or skipped, whose mailboxes later rows repeat. A row
    /// that was refused is left out: a later row with its mailbox is no duplicate.
    pub fn pass_over(&mut self, rows: &[ImportRow]) {
        for row in rows {
            if let Some(hash) = self.mailboxes.hash_of(row) {
                self.mailboxes.remember(hash);
            }
        }
        self.parts = self.parts.saturating_add(1);
    }

    pub(super) fn key(&self) -> Result<IdempotencyKey, Error> {
        Ok(IdempotencyKey::new(format!("import:{}:{}", self.id, self.parts))?)
    }

    pub(super) fn import(&self, rows: Vec<ImportRow>) -> Import {
        let import = Import::new(rows).with_mode(self.mode).with_duplicates(self.duplicates);
        if self.expects_addresses { import.expecting_addresses() } else { import }
    }

    pub(super) fn earlier(&self) -> Earlier<'_> {
        Earlier { batch: Some(self.id), mailboxes: Some(&self.mailboxes) }
    }

    pub(super) fn hashes(&self, rows: &[ImportRow]) -> Vec<Option<u64>> {
        rows.iter().map(|row| self.mailboxes.hash_of(row)).collect()
    }

    /// Counts a part, and remembers the mailboxes of its good rows.
    pub(super) fn end_part(
        &mut self,
        hashes: Vec<Option<u64>>,
        outcomes: impl Iterator<Item = OutcomeKind>,
    ) {
        for (hash, outcome) in hashes.into_iter().zip(outcomes) {
            if let Some(hash) = hash.filter(|_| outcome.is_good()) {
                self.mailboxes.remember(hash);
            }
        }
        self.parts = self.parts.saturating_add(1);
    }
}

impl<S: Store> Invitations<S> {
    /// Returns a new id for an import in parts.
    ///
    /// No round trip.
    ///
    /// # Errors
    ///
    /// [`Error::Entropy`].
    pub fn new_batch(&self) -> Result<BatchId, Error> {
        Ok(self.state.ids.batch(self.now(), self.entropy())?)
    }

    /// Creates the invitations of the next part of an import, as [`import`](Self::import) does
    /// under a key of its own. After an error, the same part may be sent again.
    ///
    /// As many round trips as [`import`](Self::import).
    ///
    /// # Errors
    ///
    /// As [`import`](Self::import).
    pub async fn import_part(
        &self,
        caller: impl Into<Caller<'_>>,
        import: &mut PartedImport,
        rows: Vec<ImportRow>,
    ) -> Result<Imported, Error> {
        let (key, hashes) = (import.key()?, import.hashes(&rows));
        let (part, earlier) = (import.import(rows), import.earlier());
        let imported = self.import_or_replay(caller.into(), part, Some(&key), &earlier).await?;
        import.end_part(hashes, imported.rows().iter().map(|row| row.outcome.kind()));
        Ok(imported)
    }

    /// Returns the result that each row of the next part would have, as
    /// [`rehearse`](Self::rehearse) does, and creates nothing.
    ///
    /// As many round trips as [`rehearse`](Self::rehearse).
    ///
    /// # Errors
    ///
    /// As [`rehearse`](Self::rehearse).
    pub async fn rehearse_part(
        &self,
        caller: impl Into<Caller<'_>>,
        import: &mut PartedImport,
        rows: Vec<ImportRow>,
    ) -> Result<Vec<ImportedRow>, Error> {
        let (hashes, part) = (import.hashes(&rows), import.import(rows));
        let (earlier, evidence) = (import.earlier(), DenialEvidence::None);
        let rows = self.rehearse_after(caller.into(), part, &earlier, evidence).await?;
        import.end_part(hashes, rows.iter().map(|row| row.outcome.kind()));
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Actor, Division, Draft, Email, MemoryStore, Role, RowWarning, UserId};

    fn admin() -> Actor {
        let (user, role) = (UserId::new("u-0").unwrap(), Role::new("admin").unwrap());
        Actor::across_divisions(user, role)
    }

    fn row(address: &str, division: &str) -> ImportRow {
        let draft = Draft::new().with_role(Role::new("staff").unwrap());
        let draft = draft.in_division(Division::new(division).unwrap());
        ImportRow::Draft(draft.for_email(Email::parse(address).unwrap()))
    }

    #[tokio::test]
    async fn mailbox_of_an_earlier_part_is_a_duplicate_in_any_division() {
        let invitations = Invitations::new(MemoryStore::new());
        for duplicates in [Duplicates::Skip, Duplicates::Create] {
            let id = invitations.new_batch().unwrap();
            let mut import = PartedImport::new(id).with_duplicates(duplicates);
            let name = format!("anna@{duplicates:?}.example.com");
            let first = vec![row(&name, "sales")];
            invitations.import_part(&admin(), &mut import, first).await.unwrap();
            let second = vec![row(&name, "operations"), row(&name, "operations")];
            let imported = invitations.import_part(&admin(), &mut import, second).await.unwrap();
            let warnings = |n: usize| imported.rows()[n].warnings.clone();
            assert_eq!(warnings(0), [RowWarning::RepeatedEarlier]);
            assert_eq!(warnings(1), [RowWarning::RepeatedEarlier]);
            let expected = match duplicates {
                Duplicates::Skip => OutcomeKind::Skipped,
                Duplicates::Create => OutcomeKind::Created,
            };
            assert!(imported.rows().iter().all(|row| row.outcome.kind() == expected));
        }
    }

    #[tokio::test]
    async fn mailbox_of_a_refused_row_is_no_duplicate() {
        let invitations = Invitations::new(MemoryStore::new());
        let mut import = PartedImport::new(invitations.new_batch().unwrap());
        let refused = Draft::new()
            .with_role(Role::new("root").unwrap())
            .in_division(Division::new("sales").unwrap())
            .for_email(Email::parse("anna@example.com").unwrap());
        let rows = vec![ImportRow::Draft(refused)];
        let first = invitations.import_part(&admin(), &mut import, rows).await.unwrap();
        assert_eq!(first.rows()[0].outcome.kind(), OutcomeKind::Forbidden);
        let rows = vec![row("anna@example.com", "sales")];
        let second = invitations.import_part(&admin(), &mut import, rows).await.unwrap();
        assert_eq!(second.rows()[0].outcome.kind(), OutcomeKind::Created);
    }

    #[test]
    fn remembered_mailboxes_are_bounded() {
        let mut mailboxes = Mailboxes::default();
        for hash in 0..=Mailboxes::MAX as u64 {
            mailboxes.remember(hash);
        }
        assert_eq!(mailboxes.hashes.len(), 1);
        assert!(mailboxes.hashes.capacity() < 1 << 21);
    }
}
