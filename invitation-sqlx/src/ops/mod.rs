//! The operations of the port, each on one connection.
//!
//! The connection belongs to the store or to a host. That makes a difference only for how a
//! transaction begins.

mod apply;
mod budget;
mod cursor;
mod documents;
mod erase;
pub(crate) mod feed;
mod insert;
mod invited;
mod lease;
mod ledger;
mod purge;
mod quota;
mod read;
pub(crate) mod redeem;
mod request;
mod retention;
pub(crate) mod search_terms;
mod session;
mod state;

pub(crate) use self::{
    apply::apply,
    budget::{remove_old_budgets, take_tokens},
    cursor::{cursor, replace_cursor},
    documents::{
        add_documents, document, due_documents, list_documents, remove_documents, replace_documents,
    },
    erase::{erase_events, erase_invitations},
    insert::{insert, record, write_rows},
    invited::are_invited,
    purge::purge,
    read::{events, facts, get, leases, locate, redemptions, select_invitation},
    retention::{cursors, remove_cursor, remove_events},
    session::{Begin, Session, Step, savepoint_name, unprepared},
};
