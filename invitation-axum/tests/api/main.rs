//! The JSON API, as clients see it.

mod one;
mod support;
