//! A store with invitations, and a counter that reads to the end.

use std::{
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, Instant},
};

use invitation_core::{
    Actor, BatchId, Draft, IfVersion, Import, ImportRow, Invitations, Store,
    funnel::{Funnel, FunnelCounter, FunnelFigures, FunnelQuery, Funnels},
};

use super::{FunnelFixture, Source};
use crate::support::{
    harness::Harness,
    samples::{admin, division, manager, newcomer, role},
};

/// The time after which an event counts as missing.
const MAX_WAIT: Duration = Duration::from_mins(1);

/// A store with its service, and its funnels.
pub(super) struct House {
    pub(super) harness: Harness,
    pub(super) source: Arc<dyn Source>,
    funnels: Funnels<Arc<dyn Store>>,
}

/// The invitations of [`House::filled`], in numbers.
pub(super) const CREATED: u64 = 12;

/// The deleted ones among them. The last events of all are about them.
pub(super) const DELETED: u64 = 2;

impl House {
    pub(super) fn new(fixture: FunnelFixture) -> Self {
        let source = fixture.store;
        let harness = Harness::new(fixture.fixture);
        let (documents, feed) = (Arc::clone(&source), Arc::clone(&source));
        let funnels = Funnels::new(harness.service.clone(), documents, feed);
        Self { harness, source, funnels }
    }

    pub(super) fn service(&self) -> &Invitations<Arc<dyn Store>> {
        &self.harness.service
    }

    /// Returns the funnel of the query for an actor.
    pub(super) async fn funnel(&self, actor: &Actor, query: &FunnelQuery) -> Funnel {
        self.funnels.of(actor, query).await.expect("the store answers")
    }

    /// Returns the numbers of everything.
    pub(super) async fn figures(&self) -> FunnelFigures {
        *self.funnel(&admin(), &FunnelQuery::new()).await.figures()
    }

    /// Counts until no event is left. A store may hold events back while other transactions of its
    /// server are open, so this waits for the numbers of `created` invitations, redemptions and
    /// deleted invitations.
    pub(super) async fn count(&self, created: u64, redemptions: u64, deleted: u64) {
        let expected = [created, redemptions, deleted];
        let counter = FunnelCounter::new(Arc::clone(&self.source));
        let begun = Instant::now();
        loop {
            while counter.run().await.expect("the store answers").more {}
            let figures = self.figures().await;
            if [figures.created(), figures.redemptions(), figures.deleted()] == expected {
                return;
            }
            assert!(begun.elapsed() < MAX_WAIT, "{figures:?}, not {expected:?}");
            tokio::task::yield_now().await;
        }
    }

    /// Creates an invitation of a division.
    async fn invite(&self, by: &Actor, of: &str, uses: u32) -> invitation_core::Created {
        let uses = NonZeroU32::new(uses).expect("not zero");
        let draft = Draft::new().with_role(role("staff")).in_division(division(of)).for_uses(uses);
        self.service().create(by, draft).await.expect("allowed")
    }

    /// Creates 12 invitations: 5 open, 3 used, 2 revoked, 2 deleted; 4 of them were redeemed, in 5
    /// redemptions. 3 are of one batch. Returns the batch.
    pub(super) async fn filled(&self) -> BatchId {
        let (sales, any) = (manager("sales"), IfVersion::Any);
        let redeem = async |created: &invitation_core::Created, name: &str| {
            let code = created.code().reveal();
            self.service().redeem(&code, &newcomer(name)).await.expect("it is good");
        };
        let open = self.invite(&sales, "sales", 1).await;
        self.invite(&admin(), "operations", 1).await;
        let several = self.invite(&admin(), "sales", 3).await;
        redeem(&several, "anna").await;
        redeem(&several, "ben").await;
        redeem(&several, "ben").await;
        for name in ["carl", "dora", "emil"] {
            redeem(&self.invite(&sales, "sales", 1).await, name).await;
        }
        let id = |created: &invitation_core::Created| created.invitation().id();
        let revoked = self.invite(&admin(), "operations", 1).await;
        let also = self.invite(&sales, "sales", 1).await;
        for one in [&revoked, &also, &open] {
            self.service().revoke(&admin(), id(one), None, any).await.expect("allowed");
        }
        self.service().reinstate(&admin(), id(&open), any).await.expect("allowed");
        let deleted = self.invite(&sales, "sales", 1).await;
        let rows = ["sales", "sales", "operations"].map(|of| {
            let draft = Draft::new().with_role(role("staff")).in_division(division(of));
            ImportRow::Draft(draft)
        });
        let imported = self.service().import(&admin(), Import::new(rows.into()), None).await;
        let imported = imported.expect("allowed");
        let of_batch: Vec<_> = imported.created().collect();
        for one in [id(&deleted), of_batch[0].invitation().id()] {
            self.service().delete(&admin(), one, any).await.expect("allowed");
        }
        of_batch[0].invitation().batch().expect("a batch")
    }

    /// Asserts that the numbers are those of [`filled`](Self::filled).
    pub(super) async fn has_each_once(&self, batch: BatchId) {
        let everything = self.funnel(&admin(), &FunnelQuery::new()).await;
        let figures = everything.figures();
        assert_eq!(
            [figures.created(), figures.redeemed(), figures.redemptions(), figures.sent()],
            [CREATED, 4, 5, 0]
        );
        assert_eq!(
            [figures.open(), figures.used(), figures.revoked(), figures.deleted()],
            [5, 3, 2, 2]
        );
        assert_eq!(figures.times().total(), 4);
        assert_eq!((everything.active(), everything.expired()), (5, 0));
        let created = async |actor: &Actor, query| {
            let funnel = self.funnel(actor, &query).await;
            funnel.figures().created()
        };
        let all = FunnelQuery::new;
        assert_eq!(created(&manager("sales"), all()).await, 9);
        assert_eq!(created(&admin(), all().in_division(division("operations"))).await, 3);
        let mia = manager("sales").user().clone();
        assert_eq!(created(&admin(), all().by_inviter(mia)).await, 6);
        assert_eq!(created(&manager("sales"), all().by_inviter(admin().user().clone())).await, 3);
        assert_eq!(created(&admin(), all().in_batch(batch)).await, 3);
        assert_eq!(created(&manager("operations"), all().in_batch(batch)).await, 1);
    }
}
