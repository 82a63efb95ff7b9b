//! Lists the public API of a crate from its sources. A test compares the listing with the
//! committed one.
//!
//! The library needs no compiler: it parses the modules, follows `pub use`, and prints the
//! public part of every item that a user of the crate can reach. The listing is therefore
//! the same on every toolchain and with every feature. A `cfg` of an item is part of its
//! text.
//!
//! An item that a macro of the same crate declares is listed as the call of that macro. The
//! definition of the macro follows at the end, so that a change of it shows as well.
//!
//! It also reads the documentation of an item and the examples in it, for a test that each item at
//! the root of the facade has one.
//!
//! The library does not resolve types. It does not list auto traits, such as `Send`, and it
//! lists an alias by its name.

mod documentation;
mod examples;
mod listing;
mod macros;
mod modules;
mod names;
mod public;

pub use self::{
    documentation::documentation,
    examples::{Example, examples},
    listing::listing,
    modules::Crate,
};

/// The error of a crate whose sources cannot be read, with the reason.
#[derive(Debug)]
pub struct Unreadable(String);

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}
