//! The operations of the port, each on one connection.
//!
//! The connection belongs to the store or to a host. That makes a difference only for how a
//! transaction begins.

mod apply;
mod count;
mod insert;
mod invited;
mod lease;
mod ledger;
mod list;
mod purge;
mod quota;
mod read;
mod redeem;
mod request;
mod search_terms;
mod state;
mod step;

use self::step::Step;
pub(crate) use self::{
    apply::apply,
    count::count,
    insert::{insert, record},
    invited::invited,
    list::list,
    purge::purge,
    read::{events, facts, get, leases, locate, redemptions},
    redeem::batch::{MAX_BATCH_SIZE, can_be_batched, redeem_batch},
    step::{Begin, unprepared},
};
