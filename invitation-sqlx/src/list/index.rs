//! The indexes that queries name, or are written for.
//!
//! A test compares them with the schema of each database.

/// An index, or the primary key of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Index {
    CodesKey,
    CodesNewest,
    CodesNewestAnywhere,
    CodesRole,
    CodesInviter,
    CodesBatch,
    CodesTag,
    CodesInvitee,
    StatesKey,
    StatesAnywhere,
    StatesValid,
    StatesValidAnywhere,
    StatesValidBy,
    TermsKey,
    DocumentsKey,
    DocumentsDue,
    DocumentsNewest,
    DocumentsState,
    DocumentsDivision,
    DocumentsInvitation,
}

/// The name of an index that is the primary key.
const KEY: &str = "PRIMARY";

impl Index {
    /// Returns the table, the name of the index, and its columns. Both names come without the
    /// prefix. Further columns may follow, and a database with partial indexes leaves out the
    /// column that the condition fixes.
    const fn definition(self) -> (&'static str, &'static str, &'static [&'static str]) {
        const CODES: &str = "codes";
        const STATES: &str = "states";
        const DOCUMENTS: &str = "documents";
        match self {
            Self::CodesKey => (CODES, KEY, &["id"]),
            Self::CodesNewest => (CODES, "codes_newest", &["division", "created_at", "id"]),
            Self::CodesNewestAnywhere => (CODES, "codes_newest_anywhere", &["created_at", "id"]),
            Self::CodesRole => (CODES, "codes_role", &["role", "division", "created_at", "id"]),
            Self::CodesInviter => (CODES, "codes_inviter", &["inviter", "created_at", "id"]),
            Self::CodesBatch => (CODES, "codes_batch", &["batch", "created_at", "id"]),
            Self::CodesTag => (CODES, "codes_tag", &["tag"]),
            Self::CodesInvitee => {
                (CODES, "codes_invitee", &["email_key", "division", "expires_at"])
            }
            Self::StatesKey => (STATES, KEY, &["division", "state", "created_at", "id"]),
            Self::StatesAnywhere => (STATES, "states_anywhere", &["state", "created_at", "id"]),
            Self::StatesValid => {
                (STATES, "states_valid", &["state", "division", "expires_at", "id"])
            }
            Self::StatesValidAnywhere => {
                (STATES, "states_valid_anywhere", &["state", "expires_at", "id"])
            }
            Self::StatesValidBy => {
                (STATES, "states_valid_by", &["state", "inviter", "expires_at", "id"])
            }
            Self::TermsKey => {
                ("search_terms", KEY, &["term", "division", "created_at", "invitation"])
            }
            Self::DocumentsKey => (DOCUMENTS, KEY, &["kind", "name"]),
            Self::DocumentsDue => (DOCUMENTS, "documents_due", &["kind", "due", "name"]),
            Self::DocumentsNewest => (DOCUMENTS, "documents_newest", &["kind", "at", "name"]),
            Self::DocumentsState => {
                (DOCUMENTS, "documents_state", &["kind", "state", "at", "name"])
            }
            Self::DocumentsDivision => {
                (DOCUMENTS, "documents_division", &["kind", "division", "at", "name"])
            }
            Self::DocumentsInvitation => {
                (DOCUMENTS, "documents_invitation", &["kind", "invitation", "at", "name"])
            }
        }
    }

    /// Whether it is the primary key of its table.
    pub(crate) fn is_key(self) -> bool {
        self.name() == KEY
    }

    /// Whether its entries hold the expiry, although no scan is ordered by it.
    pub(crate) const fn has_expiry(self) -> bool {
        matches!(self, Self::StatesKey | Self::StatesAnywhere)
    }

    /// Whether queries use it for invitations in the open state only.
    pub(crate) const fn is_by_expiry(self) -> bool {
        matches!(self, Self::StatesValid | Self::StatesValidAnywhere | Self::StatesValidBy)
    }

    /// Returns the columns after the state, which is the first one of an index by expiry.
    pub(crate) fn key(self) -> &'static [&'static str] {
        match self.columns() {
            [_, key @ ..] if self.is_by_expiry() => key,
            columns => columns,
        }
    }

    pub(crate) const fn table(self) -> &'static str {
        self.definition().0
    }

    pub(crate) const fn name(self) -> &'static str {
        self.definition().1
    }

    pub(crate) const fn columns(self) -> &'static [&'static str] {
        self.definition().2
    }
}
