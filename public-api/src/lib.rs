//! Lists the public API of a crate from its sources, as a text that a test compares.
//!
//! The reader needs no compiler: it parses the modules, follows `pub use`, and prints the
//! public parts of what is reachable. The listing is therefore the same on every toolchain
//! and with every feature; a `cfg` of an item is part of its text.
//!
//! Items that the crate's own macros declare are listed as the call of the macro. The macro
//! itself follows at the end, so that a change of it shows as well.
//!
//! The reader does not know types. It does not list auto traits, such as `Send`, and an
//! alias is listed by its name.

mod listing;
mod macros;
mod modules;
mod names;
mod public;

pub use self::{listing::listing, modules::Crate};

/// An error of reading a crate.
#[derive(Debug)]
pub struct Unreadable(String);

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}
