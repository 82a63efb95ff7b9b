//! The operations that pass through an interceptor.

use std::fmt;

#[cfg(doc)]
use crate::store::Store;

/// An operation of [`Store`], [`Transactional`](crate::admit::Transactional),
/// [`Erasures`](crate::erasure::Erasures), [`Documents`](crate::documents::Documents),
/// [`Feed`](crate::feed::Feed), [`FeedCursors`](crate::feed::FeedCursors) or
/// [`FeedRetention`](crate::feed::FeedRetention).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Operation {
    /// [`Store::insert`].
    Insert,
    /// [`Store::apply`].
    Apply,
    /// [`Store::get`].
    Get,
    /// [`Store::facts`].
    Facts,
    /// [`Store::locate`].
    Locate,
    /// [`Store::are_invited`].
    AreInvited,
    /// [`Store::list`].
    List,
    /// [`Store::count`].
    Count,
    /// [`Store::redemptions`].
    Redemptions,
    /// [`Store::leases`].
    Leases,
    /// [`Store::record`].
    Record,
    /// [`Store::events`].
    Events,
    /// [`Store::purge`].
    Purge,
    /// [`Transactional::begin`](crate::admit::Transactional::begin).
    Begin,
    /// [`HostTransaction::commit`](crate::admit::HostTransaction::commit).
    Commit,
    /// [`Erasures::erase_invitations`](crate::erasure::Erasures::erase_invitations).
    EraseInvitations,
    /// [`Erasures::erase_events`](crate::erasure::Erasures::erase_events).
    EraseEvents,
    /// [`Documents::document`](crate::documents::Documents::document).
    Document,
    /// [`Documents::add_documents`](crate::documents::Documents::add_documents).
    AddDocuments,
    /// [`Documents::replace_documents`](crate::documents::Documents::replace_documents).
    ReplaceDocuments,
    /// [`Documents::due_documents`](crate::documents::Documents::due_documents).
    DueDocuments,
    /// [`Documents::list_documents`](crate::documents::Documents::list_documents).
    ListDocuments,
    /// [`Documents::remove_documents`](crate::documents::Documents::remove_documents).
    RemoveDocuments,
    /// [`Feed::feed`](crate::feed::Feed::feed).
    Feed,
    /// [`FeedCursors::cursor`](crate::feed::FeedCursors::cursor).
    Cursor,
    /// [`FeedCursors::replace_cursor`](crate::feed::FeedCursors::replace_cursor).
    ReplaceCursor,
    /// [`FeedRetention::cursors`](crate::feed::FeedRetention::cursors).
    Cursors,
    /// [`FeedRetention::remove_cursor`](crate::feed::FeedRetention::remove_cursor).
    RemoveCursor,
    /// [`FeedRetention::remove_events`](crate::feed::FeedRetention::remove_events).
    RemoveEvents,
}

impl Operation {
    /// Returns the name of the method. It never changes, so it can label spans and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Apply => "apply",
            Self::Get => "get",
            Self::Facts => "facts",
            Self::Locate => "locate",
            Self::AreInvited => "are_invited",
            Self::List => "list",
            Self::Count => "count",
            Self::Redemptions => "redemptions",
            Self::Leases => "leases",
            Self::Record => "record",
            Self::Events => "events",
            Self::Purge => "purge",
            Self::Begin => "begin",
            Self::Commit => "commit",
            Self::EraseInvitations => "erase_invitations",
            Self::EraseEvents => "erase_events",
            Self::Document => "document",
            Self::AddDocuments => "add_documents",
            Self::ReplaceDocuments => "replace_documents",
            Self::DueDocuments => "due_documents",
            Self::ListDocuments => "list_documents",
            Self::RemoveDocuments => "remove_documents",
            Self::Feed => "feed",
            Self::Cursor => "cursor",
            Self::ReplaceCursor => "replace_cursor",
            Self::Cursors => "cursors",
            Self::RemoveCursor => "remove_cursor",
            Self::RemoveEvents => "remove_events",
        }
    }

    /// Returns whether the operation can change what the store keeps.
    #[must_use]
    pub const fn is_write(self) -> bool {
        match self {
            Self::Insert
            | Self::Apply
            | Self::Record
            | Self::Purge
            | Self::Commit
            | Self::EraseInvitations
            | Self::EraseEvents
            | Self::AddDocuments
            | Self::ReplaceDocuments
            | Self::RemoveDocuments
            | Self::ReplaceCursor
            | Self::RemoveCursor
            | Self::RemoveEvents => true,
            Self::Get
            | Self::Facts
            | Self::Locate
            | Self::AreInvited
            | Self::List
            | Self::Count
            | Self::Redemptions
            | Self::Leases
            | Self::Events
            | Self::Begin
            | Self::Document
            | Self::DueDocuments
            | Self::ListDocuments
            | Self::Feed
            | Self::Cursor
            | Self::Cursors => false,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
