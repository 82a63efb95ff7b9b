//! The list of promises of documents, and the macro that generates one test for each.

/// Generates one test for every promise of [`documents`](crate::documents), for a store that keeps
/// documents.
///
/// The argument is the path of an `async fn() -> DocumentsFixture` that returns an empty store on
/// each call. Otherwise it works as [`conformance!`](crate::conformance) does.
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_conformance as testing; }
/// use invitation::{MemoryStore, testing::documents::DocumentsFixture};
///
/// async fn fixture() -> DocumentsFixture {
///     DocumentsFixture::new(MemoryStore::new())
/// }
///
/// mod documents {
/// #     mod invitation { pub use invitation_conformance as testing; }
///     invitation::testing::documents_conformance!(super::fixture);
/// }
/// ```
#[macro_export]
macro_rules! documents_conformance {
    ($fixture:path) => {
        $crate::__documents_promises!($crate::__documents_tests, $fixture);
    };
}

/// Generates one test for each promise of documents.
#[doc(hidden)]
#[macro_export]
macro_rules! __documents_tests {
    (($fixture:path) $($file:ident { $($promise:ident)+ })+) => {
        #[cfg(test)]
        async fn __fixture() -> $crate::documents::DocumentsFixture {
            $fixture().await
        }
        $(mod $file {
            $(
                #[test]
                fn $promise() {
                    $crate::__run_test(async {
                        $crate::documents::$promise(super::__fixture().await).await;
                    });
                }
            )+
        })+
    };
}

/// Exports the promises of documents.
macro_rules! export_documents_promises {
    ((()) $($file:ident { $($promise:ident)+ })+) => {
        $(pub use self::$file::{$($promise),+};)+
    };
}
pub(crate) use export_documents_promises;

/// The list of promises of documents, passed to the macro `$to`.
#[doc(hidden)]
#[macro_export]
macro_rules! __documents_promises {
    ($to:path, $with:tt) => {
        $to! {
            ($with)
            add {
                stored_document_is_returned_unchanged
                added_document_of_a_stored_key_changes_nothing
                first_of_two_added_documents_with_one_key_counts
                add_of_1000_documents_stores_all
                call_beyond_a_bound_is_refused
            }
            replace {
                document_is_replaced_at_its_known_version_only
                repeated_replacement_succeeds_and_changes_nothing
                documents_and_events_are_replaced_all_or_none
                stored_event_of_a_replacement_stays_unchanged
                replaced_document_is_listed_by_its_new_version_only
            }
            due {
                due_documents_come_in_the_order_of_time_and_name
                due_documents_are_bounded
            }
            list {
                every_document_filter_matches_the_specification
                addition_between_pages_neither_repeats_nor_hides_documents
                rare_document_among_many_is_found
            }
            names {
                names_of_documents_are_compared_byte_for_byte
            }
            remove {
                removal_takes_old_documents_without_work_only
                removal_is_bounded
                removal_writes_its_event_with_the_number
                repeated_removal_changes_nothing
            }
            races {
                concurrent_replacements_of_one_version_succeed_once
                concurrent_replacements_in_different_orders_succeed_once
                concurrent_additions_store_each_document_once
                workers_work_on_each_due_document_once
            }
        }
    };
}
