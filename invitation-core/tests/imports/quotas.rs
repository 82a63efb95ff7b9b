//! Rows beyond the quotas of many divisions.

use std::{fmt::Write as _, num::NonZeroU32};

use invitation_core::{
    Cap, Limits,
    import::{OutcomeKind, file::FileFormat, jobs::ImportState},
};

use crate::{Scene, weak::Weak};

/// More divisions than a fixed number of attempts at storing.
const DIVISIONS: u32 = 150;

#[tokio::test]
async fn part_with_full_quotas_of_many_divisions_creates_what_has_room() {
    let mut scene = Scene::new(Weak::default());
    let one = NonZeroU32::MIN;
    let limits = Limits::default().with_pending_per_division(Cap::AtMost(one));
    scene.invitations = scene.invitations.with_limits(limits);
    let mut file = String::from("role,division\n");
    for n in (0..DIVISIONS).chain(0..DIVISIONS) {
        writeln!(file, "staff,division-{n}").expect("a string takes all");
    }
    let id = scene.order(FileFormat::Csv, file.as_bytes()).await;
    let _ = scene.run().await.expect("a run");
    assert_eq!(scene.job(id).await.state(), ImportState::Done);
    let rows = scene.rows(id).await;
    let half = rows.len() / 2;
    assert!(rows[..half].iter().all(|row| row.outcome == OutcomeKind::Created));
    assert!(rows[half..].iter().all(|row| row.outcome == OutcomeKind::QuotaExceeded));
}
