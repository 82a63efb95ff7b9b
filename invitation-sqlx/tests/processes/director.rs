//! Starts the processes, releases them together, and counts the results.

use std::{
    env,
    io::{BufRead, BufReader, Lines, Write},
    num::NonZeroU32,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use invitation_core::{
    Action, Draft, EventCriteria, EventOutcome, InvitationId, Invitations, Paging, Role, TimeRange,
};
use invitation_sqlx::{
    SqlStore,
    sqlx::{MySql, Postgres, Sqlite},
};

use crate::{
    CHILD,
    database::{self, CONNECTIONS, Host},
    setup::Setup,
    support::{admin, host::number},
};

const PROCESSES: u32 = 4;
/// The number of rounds for each number of uses.
const ROUNDS: u32 = 8;
const USES: [u32; 2] = [1, 3];

pub(crate) async fn run(url: &str, setup: Setup) {
    if url.starts_with("postgres:") {
        direct::<Postgres>(url, setup).await;
    } else if url.starts_with("mysql:") {
        direct::<MySql>(url, setup).await;
    } else {
        direct::<Sqlite>(url, setup).await;
    }
}

async fn direct<DB: Host>(url: &str, setup: Setup) {
    let invitations = database::open::<DB>(url, setup).await;
    database::prepare(&invitations).await;
    let mut children: Vec<_> = (0..PROCESSES).map(|n| ChildProcess::start(url, setup, n)).collect();
    for child in &mut children {
        assert_eq!(child.hear(), "ready");
    }
    let mut let_in = 0;
    for uses in USES {
        for round in 0..ROUNDS {
            let draft = Draft::new().with_role(Role::new("staff").unwrap());
            let draft = draft.for_uses(NonZeroU32::new(uses).unwrap());
            let created = invitations.create(&admin(), draft).await.unwrap();
            let code = created.code().reveal();
            for child in &mut children {
                child.say(&format!("get-ready {} {uses}-{round}", &*code));
            }
            for child in &mut children {
                assert_eq!(child.hear(), "waiting");
            }
            for child in &mut children {
                child.say("go");
            }
            let told = children.iter_mut().map(ChildProcess::hear).collect::<Vec<_>>();
            let place = format!("round {round} for {uses}: {told:?}");
            assert_eq!(sum(&told, 0), uses, "{place}");
            assert_eq!(sum(&told, 1), PROCESSES * CONNECTIONS - uses, "{place}");
            check_trail(&invitations, created.invitation().id(), uses, &place).await;
            let_in += uses;
        }
    }
    if setup.joined {
        let users = number(invitations.store().pool(), "SELECT COUNT(*) FROM users").await;
        assert_eq!(users, i64::from(let_in), "an account for each, and no other");
    }
    invitations.store().pool().close().await;
}

/// Checks the data about one code: its uses, its redeemers, and an event for each member.
async fn check_trail<DB: Host>(
    invitations: &Invitations<SqlStore<DB>>,
    id: InvitationId,
    uses: u32,
    place: &str,
) {
    let all = Paging::first(200).unwrap();
    let view = invitations.get(&admin(), id).await.unwrap();
    assert_eq!(view.invitation().uses(), uses, "{place}");
    let redeemed = invitations.redemptions(&admin(), id, all).await.unwrap();
    assert_eq!(redeemed.items().len(), usize::try_from(uses).unwrap(), "{place}");
    let about =
        EventCriteria::new().about(id).of_action(Action::Redeem).within(TimeRange::default());
    let events = invitations.events(&admin(), &about, all).await.unwrap();
    let of = |outcome| events.items().iter().filter(|event| event.outcome == outcome).count();
    let members = PROCESSES * CONNECTIONS;
    let found = (of(EventOutcome::Succeeded), of(EventOutcome::Refused));
    let expected = (usize::try_from(uses).unwrap(), usize::try_from(members - uses).unwrap());
    assert_eq!(found, expected, "{place}");
}

fn sum(told: &[String], place: usize) -> u32 {
    let number = |line: &String| line.split(' ').nth(place).unwrap().parse::<u32>().unwrap();
    told.iter().map(number).sum()
}

/// A child process that executes orders.
struct ChildProcess {
    child: Child,
    orders: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

impl ChildProcess {
    fn start(url: &str, setup: Setup, number: u32) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([CHILD, url, &setup.to_string(), &number.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, orders, answers }
    }

    fn say(&mut self, order: &str) {
        writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
    }

    fn hear(&mut self) -> String {
        self.answers.next().expect("it ended before it answered").unwrap()
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        // The child process ends when its standard input closes.
        drop(self.orders.take());
        self.child.wait().ok();
    }
}
