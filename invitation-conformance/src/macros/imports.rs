//! The list of promises of imports, and the macro that generates one test for each.

/// Generates one test for every promise of [`imports`](crate::imports), for a store that keeps
/// documents.
///
/// The argument is the path of an `async fn() -> ImportsFixture` that returns an empty store on
/// each call. Otherwise it works as [`conformance!`](crate::conformance) does.
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_conformance as testing; }
/// use invitation::{MemoryStore, testing::imports::ImportsFixture};
///
/// async fn fixture() -> ImportsFixture {
///     ImportsFixture::new(MemoryStore::new())
/// }
///
/// mod imports {
/// #     mod invitation { pub use invitation_conformance as testing; }
///     invitation::testing::imports_conformance!(super::fixture);
/// }
/// ```
#[macro_export]
macro_rules! imports_conformance {
    ($fixture:path) => {
        $crate::__imports_promises!($crate::__imports_tests, $fixture);
    };
}

/// Generates one test for each promise of imports.
#[doc(hidden)]
#[macro_export]
macro_rules! __imports_tests {
    (($fixture:path) $($file:ident { $($promise:ident)+ })+) => {
        #[cfg(test)]
        async fn __fixture() -> $crate::imports::ImportsFixture {
            $fixture().await
        }
        $(mod $file {
            $(
                #[test]
                fn $promise() {
                    $crate::__run_test(async {
                        $crate::imports::$promise(super::__fixture().await).await;
                    });
                }
            )+
        })+
    };
}

/// Exports the promises of imports.
macro_rules! export_imports_promises {
    ((()) $($file:ident { $($promise:ident)+ })+) => {
        $(pub use self::$file::{$($promise),+};)+
    };
}
pub(crate) use export_imports_promises;

/// The list of promises of imports, passed to the macro `$to`.
#[doc(hidden)]
#[macro_export]
macro_rules! __imports_promises {
    ($to:path, $with:tt) => {
        $to! {
            ($with)
            best_effort {
                import_creates_every_good_row_and_keeps_each_outcome
                preview_of_an_import_creates_nothing
                import_under_the_same_key_is_ordered_once
                rows_without_room_are_named_and_the_others_created
            }
            atomic {
                atomic_import_of_one_part_creates_all_rows
                atomic_import_with_a_bad_row_creates_nothing
                atomic_import_of_several_parts_is_one_step_or_refused
                atomic_import_without_room_for_all_rows_creates_nothing
                row_that_expires_after_the_check_is_named
            }
            interrupted {
                import_whose_worker_dies_anywhere_creates_each_row_once
                atomic_import_whose_worker_dies_anywhere_creates_each_row_once
                import_whose_machine_crashes_anywhere_creates_each_row_once
                suspended_worker_changes_nothing_after_another_has_finished
                suspended_worker_of_an_atomic_import_changes_nothing_after_another_has_finished
                rows_behind_a_takeover_have_the_outcomes_of_one_worker
            }
            cancel {
                cancelled_import_stops_behind_the_part_in_progress
                concurrent_cancellations_leave_one_event
            }
            workers {
                workers_share_imports_and_create_each_row_once
                one_of_two_claims_at_the_same_moment_succeeds
            }
            evidence {
                each_step_of_an_import_leaves_one_event
                failed_import_leaves_its_reason_in_the_import_only
            }
        }
    };
}
