//! Many concurrent callers for the last places of a quota.

use invitation_core::{
    Amendment, Cap, Criteria, Error, Expiry, IfVersion, InvitationId, QuotaOf, Refusal, Status,
};

use crate::{
    Fixture,
    support::{
        concurrent::{CALLERS, run_concurrently},
        harness::{Harness, Service},
        quotas::{admin_quota, cap, quota_exceeded, staff_draft, with_quotas},
        samples::{admin, division},
    },
};

type Job = std::pin::Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

fn create_job(service: &Service) -> Job {
    let service = service.clone();
    Box::pin(async move { service.create(&admin(), staff_draft()).await.map(drop) })
}

fn reinstate_job(service: &Service, id: InvitationId) -> Job {
    let service = service.clone();
    Box::pin(async move { service.reinstate(&admin(), id, IfVersion::Any).await.map(drop) })
}

fn extend_job(service: &Service, id: InvitationId) -> Job {
    let service = service.clone();
    Box::pin(async move {
        let longer = Amendment::new().expiring(Expiry::InDays(30));
        service.amend(&admin(), id, longer, IfVersion::Any).await.map(drop)
    })
}

/// Checks that exactly `places` of the jobs succeed and the rest are refused because the
/// quota is full.
async fn check(harness: &Harness, jobs: Vec<Job>, places: u32, refused: &Refusal, what: &str) {
    let mut done = 0;
    for answer in run_concurrently(jobs).await {
        match answer {
            Ok(()) => done += 1,
            Err(Error::Refused(told)) => {
                assert_eq!(told.refusal(), refused, "{what}: a loser");
            }
            Err(other) => panic!("{what}: a loser is refused, not {other:?}"),
        }
    }
    assert_eq!(done, places, "{what}: as many as there were places");
    let counts = harness.service.counts(&admin(), &Criteria::new()).await.expect("may count");
    let Refusal::QuotaExceeded { max, .. } = refused else { panic!("{refused:?}") };
    assert_eq!(counts.of(Status::Active), max.get(), "{what}: it is full");
}

async fn empty(harness: &Harness) {
    let page = invitation_core::Paging::first(200).expect("a page");
    let all = Criteria::new().with_status(Status::Active);
    let revoked = harness.service.revoke_all(&admin(), &all, None, page).await;
    revoked.expect("may revoke");
}

/// 64 callers create at the same moment, with one or five places left in the quota of an
/// inviter or a division. Exactly that many succeed. The last place is never left unused.
pub async fn concurrent_creations_fill_exactly_the_free_places(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    for places in [1, 5, 1] {
        for of in [admin_quota(), QuotaOf::Division(division("sales"))] {
            harness.clock.advance(time::Duration::MINUTE);
            empty(&harness).await;
            let max = places + 2;
            let service = match of {
                QuotaOf::Inviter(_) => with_quotas(&harness, cap(max), Cap::Unlimited),
                QuotaOf::Division(_) => with_quotas(&harness, Cap::Unlimited, cap(max)),
            };
            for _ in 0..2 {
                harness.create(staff_draft()).await;
            }
            let jobs = (0..CALLERS).map(|_| create_job(&service)).collect();
            let what = format!("{places} places of {of:?}");
            check(&harness, jobs, places, &quota_exceeded(of, max), &what).await;
        }
    }
}

/// Concurrent creating, reinstating and extending share the places of a quota. Exactly as
/// many calls succeed as there are places.
pub async fn concurrent_creations_reinstatements_and_extensions_share_the_places(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    for round in 0..4 {
        empty(&harness).await;
        let soon = || staff_draft().expiring(Expiry::InDays(1));
        let (mut revoked, mut expired) = (Vec::new(), Vec::new());
        for _ in 0..6 {
            let id =
                harness.create(staff_draft().expiring(Expiry::InDays(9))).await.invitation().id();
            harness.service.revoke(&admin(), id, None, IfVersion::Any).await.expect("may revoke");
            revoked.push(id);
            expired.push(harness.create(soon()).await.invitation().id());
        }
        harness.clock.advance(time::Duration::days(1));
        let service = with_quotas(&harness, cap(5), cap(9));
        let mut jobs = Vec::new();
        for (revoked, expired) in revoked.into_iter().zip(expired) {
            jobs.push(create_job(&service));
            jobs.push(reinstate_job(&service, revoked));
            jobs.push(extend_job(&service, expired));
        }
        check(&harness, jobs, 5, &quota_exceeded(admin_quota(), 5), &format!("round {round}"))
            .await;
    }
}
