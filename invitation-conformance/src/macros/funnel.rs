//! The list of promises of the funnel, and the macro that generates one test for each.

/// Generates one test for every promise of [`funnel`](crate::funnel), for a store with a feed and
/// documents.
///
/// The argument is the path of an `async fn() -> FunnelFixture` that returns an empty store on
/// each call. Otherwise it works as [`conformance!`](crate::conformance) does.
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_conformance as testing; }
/// use invitation::{MemoryStore, testing::funnel::FunnelFixture};
///
/// async fn fixture() -> FunnelFixture {
///     FunnelFixture::new(MemoryStore::new())
/// }
///
/// mod funnel {
/// #     mod invitation { pub use invitation_conformance as testing; }
///     invitation::testing::funnel_conformance!(super::fixture);
/// }
/// ```
#[macro_export]
macro_rules! funnel_conformance {
    ($fixture:path) => {
        $crate::__funnel_promises!($crate::__funnel_tests, $fixture);
    };
}

/// Generates one test for each promise of the funnel.
#[doc(hidden)]
#[macro_export]
macro_rules! __funnel_tests {
    (($fixture:path) $($file:ident { $($promise:ident)+ })+) => {
        #[cfg(test)]
        async fn __fixture() -> $crate::funnel::FunnelFixture {
            $fixture().await
        }
        $(mod $file {
            $(
                #[test]
                fn $promise() {
                    $crate::__run_test(async {
                        $crate::funnel::$promise(super::__fixture().await).await;
                    });
                }
            )+
        })+
    };
}

/// Exports the promises of the funnel.
macro_rules! export_funnel_promises {
    ((()) $($file:ident { $($promise:ident)+ })+) => {
        $(pub use self::$file::{$($promise),+};)+
    };
}
pub(crate) use export_funnel_promises;

/// The list of promises of the funnel, passed to the macro `$to`.
#[doc(hidden)]
#[macro_export]
macro_rules! __funnel_promises {
    ($to:path, $with:tt) => {
        $to! {
            ($with)
            count {
                funnel_counts_what_became_of_invitations
                funnel_of_more_invitations_than_one_step_counts_each_once
            }
            killed {
                counter_that_is_killed_at_any_write_counts_each_event_once
            }
            races {
                counters_that_run_while_others_write_count_each_event_once
            }
        }
    };
}
