//! Nothing but benches: `cargo bench -p invitation-benches --bench NAME`.
