//! Lists, searches and counts of invitations.
//!
//! Each list reads a bounded number of candidates from an index, and checks the whole filter on
//! each candidate. So its work is bounded for any number of rows.

mod all_terms;
mod by_validity_length;
mod candidates;
mod count;
mod execute;
mod index;
mod plan;
mod sort;

pub(crate) use self::{count::count, execute::list, index::Index};
