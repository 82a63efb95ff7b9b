//! The names of all texts, with their English defaults.
//!
//! One macro call must declare all fields of a struct. So each file below defines a macro that appends
//! its texts to those that it gets, and passes all of them to the first macro in the brackets.

use std::borrow::Cow;

use invitation_core::{Role, UsedBy, funnel::TimeRangeToRedeem};
use time::{Duration, OffsetDateTime};

use super::english;

#[macro_use]
mod batch;
#[macro_use]
mod errors;
#[macro_use]
mod import;
#[macro_use]
mod invitation;
#[macro_use]
mod list;
#[macro_use]
mod reports;

list_texts! { [invitation_texts import_texts batch_texts report_texts error_texts strings] }
