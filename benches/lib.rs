//! This package contains benches only: `cargo bench -p invitation-benches --bench NAME`.
