//! The macros that generate one test for each conformance promise.

mod documents;
mod erasure;
mod feed;
mod funnel;
mod imports;
mod promises;

pub(crate) use self::{
    documents::export_documents_promises, erasure::export_erasure_promises,
    feed::export_feed_promises, funnel::export_funnel_promises, imports::export_imports_promises,
};

/// Generates one test for every promise of [`port`](crate::port),
/// [`service`](crate::service) and [`races`](crate::races).
///
/// The argument is the path of an `async fn() -> Fixture` that returns an empty store on
/// each call. Call the macro in a module of its own, in a test target. The tests are in
/// modules named by what they test, such as `port::purge`, so that a test filter selects
/// an area. Each test runs on a multi-threaded Tokio runtime of its own.
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_conformance as testing; }
/// use invitation::{MemoryStore, testing::Fixture};
///
/// async fn fixture() -> Fixture {
///     Fixture::new(MemoryStore::new())
/// }
///
/// mod promises {
/// #     use invitation_conformance as invitation;
///     invitation::conformance!(super::fixture);
/// }
/// ```
#[macro_export]
macro_rules! conformance {
    ($fixture:path) => {
        $crate::__conformance_promises!($crate::__conformance_tests, $fixture);
    };
}

/// Generates one test for each promise.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    (($fixture:path) $($group:ident { $($file:ident { $($promise:ident)+ })+ })+) => {
        #[cfg(test)]
        async fn __fixture() -> $crate::Fixture {
            $fixture().await
        }
        $(mod $group {
            $(mod $file {
                $(
                    #[test]
                    fn $promise() {
                        $crate::__run_test(async {
                            $crate::$group::$promise(super::super::__fixture().await).await;
                        });
                    }
                )+
            })+
        })+
    };
}

/// Runs a generated test on a runtime of its own, so that the crate that calls the macro
/// needs no dependency on Tokio.
#[doc(hidden)]
pub fn __run_test(test: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(4).enable_all().build();
    runtime.expect("a test can start four threads").block_on(test);
}

/// Exports the promises of one group, so that the compiler reports a promise missing from
/// the list as dead code.
macro_rules! export_promises {
    ((port) port { $($file:ident { $($promise:ident)+ })+ } $($rest:tt)*) => {
        $(pub use self::$file::{$($promise),+};)+
    };
    ((service) service { $($file:ident { $($promise:ident)+ })+ } $($rest:tt)*) => {
        $(pub use self::$file::{$($promise),+};)+
    };
    ((races) races { $($file:ident { $($promise:ident)+ })+ } $($rest:tt)*) => {
        $(pub use self::$file::{$($promise),+};)+
    };
    // Another group comes first.
    (($wanted:ident) $group:ident { $($promises:tt)* } $($rest:tt)+) => {
        $crate::macros::export_promises! { ($wanted) $($rest)+ }
    };
}
pub(crate) use export_promises;
