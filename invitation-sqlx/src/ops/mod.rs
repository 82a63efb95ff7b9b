//! The operations of the port, each on one connection. Whose connection it is,
//! the store's or the host's, makes no difference here but for how a transaction
//! begins.

mod apply;
mod insert;
mod read;
mod step;

use self::step::Step;
pub(crate) use self::{
    apply::apply,
    insert::{insert, record},
    read::{count, events, get, list, locate},
    step::Begin,
};
