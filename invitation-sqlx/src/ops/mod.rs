//! The operations of the port, each on one connection. Whose connection it is,
//! the store's or the host's, makes no difference here but for how a transaction
//! begins.

mod apply;
mod at_once;
mod count;
mod insert;
mod invited;
mod lease;
mod ledger;
mod list;
mod one_message;
mod purge;
mod quota;
mod read;
mod request;
mod state;
mod step;
mod together;
mod words;

use self::step::Step;
pub(crate) use self::{
    apply::apply,
    count::count,
    insert::{insert, record},
    invited::invited,
    list::list,
    purge::purge,
    read::{events, get, leases, locate, redemptions},
    step::{Begin, plainly},
    together::{TOGETHER, may_share, redeem_together},
};
