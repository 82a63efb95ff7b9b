//! The list of promises of a feed, and the macro that generates one test for each.

/// Generates one test for every promise of [`feed`](crate::feed), for a store that has a feed and
/// cursors.
///
/// The argument is the path of an `async fn() -> FeedFixture` that returns an empty store on
/// each call. Otherwise it works as [`conformance!`](crate::conformance) does.
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_conformance as testing; }
/// use invitation::{MemoryStore, testing::feed::FeedFixture};
///
/// async fn fixture() -> FeedFixture {
///     FeedFixture::new(MemoryStore::new())
/// }
///
/// mod feed {
/// #     mod invitation { pub use invitation_conformance as testing; }
///     invitation::testing::feed_conformance!(super::fixture);
/// }
/// ```
#[macro_export]
macro_rules! feed_conformance {
    ($fixture:path) => {
        $crate::__feed_promises!($crate::__feed_tests, $fixture);
    };
}

/// Generates one test for each promise of the feed.
#[doc(hidden)]
#[macro_export]
macro_rules! __feed_tests {
    (($fixture:path) $($file:ident { $($promise:ident)+ })+) => {
        #[cfg(test)]
        async fn __fixture() -> $crate::feed::FeedFixture {
            $fixture().await
        }
        $(mod $file {
            $(
                #[test]
                fn $promise() {
                    $crate::__run_test(async {
                        $crate::feed::$promise(super::__fixture().await).await;
                    });
                }
            )+
        })+
    };
}

/// Exports the promises of the feed.
macro_rules! export_feed_promises {
    ((()) $($file:ident { $($promise:ident)+ })+) => {
        $(pub use self::$file::{$($promise),+};)+
    };
}
pub(crate) use export_feed_promises;

/// The list of promises of the feed, passed to the macro `$to`.
#[doc(hidden)]
#[macro_export]
macro_rules! __feed_promises {
    ($to:path, $with:tt) => {
        $to! {
            ($with)
            order {
                feed_of_an_empty_store_is_empty
                pages_of_the_feed_contain_every_event_once
                later_event_with_an_earlier_time_stands_behind
                event_recorded_twice_has_one_position
                refused_change_has_no_event_in_the_feed
            }
            races {
                events_of_64_writers_are_read_once_in_one_order
            }
            cursors {
                stored_cursor_is_returned_unchanged
                cursor_is_replaced_at_its_known_version_only
                cursor_of_a_dead_holder_is_handed_on
                concurrent_claims_of_a_cursor_succeed_once
                consumers_of_one_cursor_share_the_feed_and_lose_nothing
            }
            retention {
                purge_removes_the_oldest_events_and_the_others_stay
                purged_events_are_in_no_list_and_change_no_invitation
                purge_stops_at_a_young_event_and_at_the_slowest_cursor
                events_after_a_purge_of_all_stand_behind_it
                concurrent_purges_remove_each_event_once
                cursor_is_removed_at_its_known_version_only
                former_holder_of_a_removed_cursor_changes_no_new_one
                purge_of_events_outside_rights_and_limits_removes_nothing
            }
        }
    };
}
