//! The state of the tamper-evident log on the audit view.

use invitation_axum::Service;
use invitation_core::{
    Policy, Right, Rights, Role, Timestamp,
    audit::{LogCheckpoint, LogMonitor, LogState, LogVerdict},
};

use crate::support::Harness;

/// A log in a fixed state.
#[derive(Debug)]
struct Fixed(LogState);

impl LogMonitor for Fixed {
    fn log_state(&self) -> LogState {
        self.0.clone()
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros((1_799_999_000 + seconds) * 1_000_000).expect("a time after 1970")
}

fn with_log(state: LogState) -> Harness {
    Harness::dashboard().with_web(|web| web.with_audit_log(Fixed(state)))
}

fn verified(verdict: LogVerdict) -> LogState {
    let root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".to_owned();
    let checkpoint = LogCheckpoint { size: 4_711, root, newest: Some(at(0)) };
    LogState {
        checkpoint: Some(checkpoint),
        verdict,
        verified_at: Some(at(60)),
        lost: 0,
        failed_at: None,
    }
}

#[tokio::test]
async fn audit_view_of_a_host_without_a_log_shows_none() {
    let harness = Harness::dashboard();
    let page = harness.get("admin", "/events").await.is(200);
    page.says_nothing_of("Tamper-evident").says_nothing_of("Verdict");
}

#[tokio::test]
async fn audit_view_shows_each_verdict_with_the_last_checkpoint() {
    let place = "in the log, entry 7 (event <b>): altered in \"reason\"".to_owned();
    for (verdict, class, text) in [
        (LogVerdict::Unverified, "refused", "Not verified yet"),
        (LogVerdict::Valid, "succeeded", "Valid"),
        (LogVerdict::Unanchored, "refused", "Unanchored: nothing shows a rollback"),
        (LogVerdict::Tampered { place }, "denied", "Tampered:"),
    ] {
        let harness = with_log(verified(verdict.clone()));
        let page = harness.get("admin", "/events").await.is(200);
        let page = page.says(&format!("inv-outcome-{class}\">{text}</span>"));
        let page = page.says("<dd>4711</dd>").says(">47DEQpj8HBSa…</code>");
        let page = page.says("15 Jan 2027, 07:43:20 UTC").says("15 Jan 2027, 07:44:20 UTC");
        let page =
            page.says_nothing_of("Sealing or verifying failed").says_nothing_of("store lost");
        if let LogVerdict::Tampered { .. } = verdict {
            page.says("<bdi>In the log, entry 7 (event &#60;b&#62;): altered");
        }
    }
}

#[tokio::test]
async fn audit_view_shows_that_the_log_is_new_that_verifying_failed_and_what_was_lost() {
    let page = with_log(LogState::default()).get("admin", "/events").await.is(200);
    page.says("Not verified yet").says_nothing_of("last checkpoint");
    let state = verified(LogVerdict::Valid);
    let state = LogState { failed_at: Some(at(90)), lost: 3, ..state };
    let page = with_log(state).get("admin", "/events").await.is(200);
    page.says(">Valid</span>").says("15 Jan 2027, 07:44:50 UTC").says("<dd>3</dd>");
}

/// A log has the events of all divisions, so its size and the place of a finding are not for an
/// auditor of one division.
#[tokio::test]
async fn audit_view_of_one_division_shows_no_log() {
    let manager = Role::new("manager").unwrap();
    let rights = Rights::none().may([Right::View, Right::Audit]);
    let policy = Policy::default().with_role(manager, rights);
    let set = |service: Service| service.with_policy(policy);
    let state = verified(LogVerdict::Valid);
    let harness = Harness::dashboard().with_service(set);
    let harness = harness.with_web(|web| web.with_audit_log(Fixed(state)));
    harness.get("sales-manager", "/events").await.is(200).says_nothing_of("Tamper-evident");
    harness.get("admin", "/events").await.is(200).says("Tamper-evident");
}
