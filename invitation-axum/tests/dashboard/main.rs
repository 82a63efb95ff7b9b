//! The dashboard over plain HTTP: what it answers, to whom, and with which headers.

mod importing;
mod pages;
mod secrets;
mod support;

#[path = "../shared/answer.rs"]
mod answer;
#[path = "../shared/people.rs"]
mod people;
