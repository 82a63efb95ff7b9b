//! Lists, searches and counts of invitations.
//!
//! Each list reads a bounded number of candidates from an index, and checks the whole filter on
//! each candidate. So its work is bounded for any number of rows.

mod all_terms;
mod candidates;
mod count;
mod execute;
mod index;
mod plan;
mod sort;

pub(crate) use self::{candidates::ListQuery, count::count, execute::list, index::Index};
