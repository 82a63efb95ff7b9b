//! The list of promises about the erasure of persons, and the macro that generates one test for
//! each.

/// Generates one test for every promise of [`erasure`](crate::erasure), for a store from which
/// persons can be erased.
///
/// The argument is the path of an `async fn() -> ErasureFixture` that returns an empty store on
/// each call. Otherwise it works as [`conformance!`](crate::conformance) does.
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_conformance as testing; }
/// use invitation::{MemoryStore, testing::erasure::ErasureFixture};
///
/// async fn fixture() -> ErasureFixture {
///     ErasureFixture::new(MemoryStore::new())
/// }
///
/// mod erasure {
/// #     mod invitation { pub use invitation_conformance as testing; }
///     invitation::testing::erasure_conformance!(super::fixture);
/// }
/// ```
#[macro_export]
macro_rules! erasure_conformance {
    ($fixture:path) => {
        $crate::__erasure_promises!($crate::__erasure_tests, $fixture);
    };
}

/// Generates one test for each promise of an erasure.
#[doc(hidden)]
#[macro_export]
macro_rules! __erasure_tests {
    (($fixture:path) $($file:ident { $($promise:ident)+ })+) => {
        #[cfg(test)]
        async fn __fixture() -> $crate::erasure::ErasureFixture {
            $fixture().await
        }
        $(mod $file {
            $(
                #[test]
                fn $promise() {
                    $crate::__run_test(async {
                        $crate::erasure::$promise(super::__fixture().await).await;
                    });
                }
            )+
        })+
    };
}

/// Exports the promises of an erasure.
macro_rules! export_erasure_promises {
    ((()) $($file:ident { $($promise:ident)+ })+) => {
        $(pub use self::$file::{$($promise),+};)+
    };
}
pub(crate) use export_erasure_promises;

/// The list of promises of an erasure, passed to the macro `$to`.
#[doc(hidden)]
#[macro_export]
macro_rules! __erasure_promises {
    ($to:path, $with:tt) => {
        $to! {
            ($with)
            values {
                erased_person_is_found_nowhere_and_the_user_id_stays
                erasure_equals_the_specification
                second_erasure_changes_nothing
                name_that_other_redeemers_share_is_still_found
                rights_counts_and_repeated_redemptions_work_after_an_erasure
            }
            addresses {
                address_of_ended_invitations_is_erased_and_open_ones_are_counted
                invitation_without_its_erased_address_admits_nobody
                erased_address_frees_its_mailbox
            }
            pages {
                interrupted_erasure_continues_and_misses_nothing
                erased_events_are_named_by_the_event_of_the_erasure
                erasure_outside_of_rights_changes_nothing
                erasure_beside_redemptions_loses_none
            }
            concurrent {
                erasures_of_two_persons_at_once_erase_both
                concurrent_erasures_of_two_namesakes_erase_both
            }
        }
    };
}
