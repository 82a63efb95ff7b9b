//! The operations of the port, each on one connection. Whose connection it is,
//! the store's or the host's, makes no difference here but for how a transaction
//! begins.

mod apply;
mod insert;
mod lease;
mod purge;
mod quota;
mod read;
mod step;

use self::step::Step;
pub(crate) use self::{
    apply::apply,
    insert::{insert, record},
    purge::purge,
    read::{count, events, get, leases, list, locate, redemptions},
    step::{Begin, plainly},
};
