//! On PostgreSQL. What becomes of wires that break is in `postgres_lost.rs`.

use invitation_core::{Invitations, testing::DropAfter};
use invitation_sqlx::{PgStore, sqlx::Postgres};

use crate::{
    promises::{Failing, promises},
    support::{
        create,
        host::{Kind, careless_pool},
        redeemer, redemptions_on_record, uses,
    },
};

promises!(Postgres);

impl Failing for Postgres {
    const FILL: &'static str = "CREATE FUNCTION no_room() RETURNS TRIGGER LANGUAGE plpgsql \
         AS $$ BEGIN RAISE EXCEPTION 'no room for evidence'; END $$; \
         CREATE TRIGGER no_room BEFORE INSERT ON invitation_events \
         FOR EACH ROW EXECUTE FUNCTION no_room()";
    const CLEAR: &'static str = "DROP TRIGGER no_room ON invitation_events";
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_call_leaves_nothing_on_the_connection() {
    let database = Postgres::empty();
    let store = PgStore::new(careless_pool(&database.url, 1).await);
    store.migrate().await.unwrap();
    let invitations = Invitations::new(store);
    let anna = redeemer("anna");
    for polls in 0..40 {
        let (_, code) = create(&invitations).await;
        let done = DropAfter::new(invitations.redeem(&code, &anna), polls).await;
        let again = invitations.redeem(&code, &anna).await.unwrap();
        assert!(again.is_replayed() || done.is_none(), "dropped after {polls} polls");
        let made = u32::try_from(polls + 1).unwrap();
        assert_eq!(uses(&invitations).await, made, "dropped after {polls} polls");
        assert_eq!(redemptions_on_record(&invitations).await, polls + 1);
    }
}
