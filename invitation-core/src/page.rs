//! Pages of lists: which one is asked for, and what it holds.

use crate::{cursor::Cursor, query::Position};

/// Which page of a list a store returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while ignoring a bound")]
pub struct PageRequest<I> {
    /// The position behind which the page begins: where the page before ended. None for the
    /// first page.
    pub after: Option<Position<I>>,
    /// The largest number of items; at least 1.
    pub limit: u32,
}

/// One page of a list.
///
/// The calls of [`Invitations`](crate::Invitations) return it with a [`Cursor`], a store with
/// a position ([`StorePage`]).
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Actor, Criteria, Invitations, MemoryStore, Page, Paging, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let invitations = Invitations::new(MemoryStore::new());
/// let admin = Actor::across_divisions(UserId::new("u-1")?, Role::new("admin")?);
/// let mut paging = Paging::first(50)?;
/// loop {
///     let page: Page<_> = invitations.list(&admin, &Criteria::new(), paging).await?;
///     assert!(page.items().is_empty(), "nothing has been created");
///     let Some(next) = page.next() else { break };
///     paging = paging.after(next);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct Page<T, N = Cursor> {
    /// The items in the order of the list, at most as many as were asked for.
    pub items: Vec<T>,
    /// Where the next page begins; none when nothing follows. A page may hold fewer items
    /// than were asked for, or none, while this is set: the work for one page is bounded. The
    /// calls of `Invitations` return such a page only after
    /// [`Limits::MAX_LIST_CALLS`](crate::Limits::MAX_LIST_CALLS) calls to the store.
    pub next: Option<N>,
}

/// A page as a store returns it. The next page begins behind a position: that of the last
/// item, or of the last candidate that the store examined.
pub type StorePage<T, I> = Page<T, Position<I>>;

impl<T, N> Page<T, N> {
    /// Returns the items in the order of the list: newest first, unless the list has another
    /// order.
    #[must_use]
    pub fn items(&self) -> &[T] {
        &self.items
    }
}

impl<T, N: Copy> Page<T, N> {
    /// Returns where the next page begins; none when nothing follows.
    #[must_use]
    pub fn next(&self) -> Option<N> {
        self.next
    }
}

impl<T, I> StorePage<T, I> {
    /// Makes a page of up to `limit + 1` items that were found in order. The extra item
    /// shows that more follow, and is dropped.
    #[must_use]
    pub fn from_one_more(
        mut items: Vec<T>,
        limit: u32,
        position: impl FnOnce(&T) -> Position<I>,
    ) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(position) } else { None };
        Self { items, next }
    }
}
