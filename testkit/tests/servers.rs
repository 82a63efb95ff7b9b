//! The servers start, answer, restart after a crash, and leave nothing behind.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    env,
    io::{BufRead, BufReader, Read},
    net::TcpStream,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use invitation_testkit::{Galera, MariaDb, Postgres, Redis, RedisCluster};

fn port(url: &str) -> u16 {
    let (_, rest) = url.rsplit_once(':').unwrap();
    rest.split('/').next().unwrap().parse().unwrap()
}

fn psql(url: &str, sql: &str) -> Result<String, String> {
    told(Command::new("psql").args([url, "-X", "-q", "-A", "-t", "-c", sql]))
}

fn mariadb(url: &str, sql: &str) -> Result<String, String> {
    let database = url.rsplit('/').next().unwrap();
    let mut client = Command::new("mariadb");
    client.args(["--no-defaults", "-h127.0.0.1", "-uroot", "-N", "-B", "-D", database, "-e", sql]);
    told(client.arg(format!("-P{}", port(url))))
}

fn told(command: &mut Command) -> Result<String, String> {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

fn answers(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[test]
fn two_databases_of_one_postgres_are_separate() {
    let (one, other) = (Postgres::shared().create_database(), Postgres::shared().create_database());
    psql(&one, "CREATE TABLE t (x INT)").unwrap();
    assert_eq!(psql(&one, "SELECT COUNT(*) FROM t").unwrap(), "0");
    assert!(psql(&other, "SELECT COUNT(*) FROM t").is_err());
}

#[test]
fn two_databases_of_one_mariadb_are_separate() {
    let (one, other) = (MariaDb::shared().create_database(), MariaDb::shared().create_database());
    mariadb(&one, "CREATE TABLE t (x INT)").unwrap();
    assert_eq!(mariadb(&one, "SELECT COUNT(*) FROM t").unwrap(), "0");
    assert!(mariadb(&other, "SELECT COUNT(*) FROM t").is_err());
}

#[test]
fn a_durable_postgres_keeps_what_it_committed_before_a_crash() {
    let server = Postgres::durable().unwrap();
    let url = server.create_database();
    psql(&url, "CREATE TABLE t AS SELECT 7 AS x").unwrap();
    server.stop_now().unwrap();
    assert!(!answers(port(&url)) && server.pid().is_none());
    server.start_again().unwrap();
    assert_eq!(psql(&url, "SELECT x FROM t").unwrap(), "7");
    drop(server);
    assert!(!answers(port(&url)));
}

#[test]
fn a_durable_mariadb_keeps_what_it_committed_before_a_crash() {
    let server = MariaDb::durable().unwrap();
    let url = server.create_database();
    mariadb(&url, "CREATE TABLE t AS SELECT 7 AS x").unwrap();
    server.stop_now().unwrap();
    assert!(!answers(port(&url)) && server.pid().is_none());
    server.start_again().unwrap();
    assert_eq!(mariadb(&url, "SELECT x FROM t").unwrap(), "7");
    drop(server);
    assert!(!answers(port(&url)));
}

#[test]
fn what_one_node_commits_all_nodes_have() {
    let urls = Galera::shared().create_database();
    mariadb(&urls[0], "CREATE TABLE t (x INT PRIMARY KEY)").unwrap();
    for (n, url) in urls.iter().enumerate() {
        mariadb(url, &format!("INSERT INTO t VALUES ({n})")).unwrap();
        for url in &urls {
            let count = mariadb(url, "SELECT COUNT(*) FROM t").unwrap();
            assert_eq!(count, (n + 1).to_string());
        }
    }
}

#[test]
fn a_durable_redis_keeps_what_it_answered_before_a_crash() {
    let server = Redis::durable().unwrap();
    server.ask(&["SET", "x", "7"]).unwrap();
    server.stop_now().unwrap();
    assert!(!answers(server.port()) && server.pid().is_none());
    server.start_again().unwrap();
    assert_eq!(server.ask(&["GET", "x"]).unwrap(), "7");
    assert!(server.ask(&["NONSENSE"]).is_err());
}

#[test]
fn a_replica_has_what_its_primary_has_and_can_take_over() {
    let primary = Redis::start().unwrap();
    primary.ask(&["SET", "x", "7"]).unwrap();
    let replica = Redis::replica_of(&primary).unwrap();
    assert_eq!(replica.ask(&["GET", "x"]).unwrap(), "7");
    assert!(replica.ask(&["SET", "x", "8"]).is_err());
    primary.stop_now().unwrap();
    replica.promote().unwrap();
    replica.ask(&["SET", "x", "8"]).unwrap();
}

#[test]
fn a_slot_of_a_cluster_moves_with_its_keys() {
    let cluster = RedisCluster::start().unwrap();
    let from = cluster.primary_of("x").unwrap();
    let to = (from + 1) % 3;
    cluster.nodes()[from].ask(&["SET", "x", "7"]).unwrap();
    cluster.move_slot_of("x", to).unwrap();
    assert_eq!(cluster.primary_of("x").unwrap(), to);
    assert_eq!(cluster.nodes()[to].ask(&["GET", "x"]).unwrap(), "7");
}

/// The environment variable that marks the child process to be killed.
const VICTIM: &str = "TESTKIT_VICTIM";

#[test]
fn a_program_that_is_killed_leaves_no_server_behind() {
    if env::var_os(VICTIM).is_some() {
        let server = Postgres::start().unwrap();
        println!("url {}", server.url("postgres"));
        // Blocks until the process is killed.
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        return;
    }
    let mut victim = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "a_program_that_is_killed_leaves_no_server_behind"])
        .env(VICTIM, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let url = lines.map(Result::unwrap).find(|line| line.contains("url postgres:")).unwrap();
    let port = port(&url);
    assert!(answers(port));
    victim.kill().unwrap();
    victim.wait().unwrap();
    let begun = Instant::now();
    while answers(port) {
        assert!(begun.elapsed() < Duration::from_secs(20), "it is still there");
        thread::sleep(Duration::from_millis(50));
    }
}
