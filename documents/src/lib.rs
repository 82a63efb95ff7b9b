//! Compiles and runs the snippets of the README and of the guide.
//!
//! They are not doctests of `invitation`: they need crates that it must not depend on, such as axum.
//! The tests of this package check the links of the documents, the names of files and metrics in
//! them, and the SQL of the guide.

/// Declares one item for each document, which only a run of doctests sees.
macro_rules! documents {
    ($($name:ident = $path:literal;)+) => {
        $(
            #[cfg(doctest)]
            #[doc = include_str!($path)]
            pub struct $name;
        )+
    };
}

documents! {
    Readme = "../../README.md";
    QuickStart = "../../src/guide/quick_start.md";
    Concepts = "../../src/guide/concepts.md";
    Embedding = "../../src/guide/embedding.md";
    Roles = "../../src/guide/roles.md";
    Hooks = "../../src/guide/hooks.md";
    Transactions = "../../src/guide/transactions.md";
    Reservations = "../../src/guide/reservations.md";
    Deliveries = "../../src/guide/deliveries.md";
    Funnel = "../../src/guide/funnel.md";
    Importing = "../../src/guide/importing.md";
    Keys = "../../src/guide/keys.md";
    Trail = "../../src/guide/trail.md";
    Operating = "../../src/guide/operating.md";
    WritingAStore = "../../src/guide/writing_a_store.md";
}
