//! The example `register` runs on PostgreSQL with one type alias changed.

use std::process::Command;

use invitation_testkit::Postgres;

#[test]
fn register_runs_on_postgres_with_another_type_alias() {
    let database = Postgres::shared().create_database();
    let program = env!("CARGO_BIN_EXE_register_postgres");
    let ended = Command::new(program).arg(database).output().expect("the program runs");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(String::from_utf8_lossy(&ended.stdout), "the invitation has been used\n");
}

#[test]
fn register_has_at_most_40_lines() {
    let source = include_str!("../../register.rs");
    assert!(source.lines().count() <= 40, "{} lines", source.lines().count());
}
