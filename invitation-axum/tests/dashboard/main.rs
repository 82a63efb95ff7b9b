//! The dashboard over plain HTTP: what it answers, to whom, and with which headers.

mod importing;
mod pages;
mod secrets;
mod support;
