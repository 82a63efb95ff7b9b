//! The example `register` on PostgreSQL. `build.rs` replaces the type behind its alias `Store`, and
//! nothing else.
//!
//! ```text
//! cargo run -p server-examples --bin register_postgres postgres://user@host/empty_database
//! ```

include!(concat!(env!("OUT_DIR"), "/register_postgres.rs"));
