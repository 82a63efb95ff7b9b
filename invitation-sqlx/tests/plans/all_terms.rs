//! A search for two frequent terms finds the common matches on every database, however far
//! down the list they are.

use invitation_core::{
    Criteria, Division, Draft, Email, InvitationId, Invitations, Paging, Role, Store, SystemActor,
};
use invitation_sqlx::{PgStore, SqliteStore, sqlx::PgPool};

use super::{TURN, manager};

/// The number of matches of each term, which is more than a page examines.
const EACH: usize = 2_500;
const AT_ONCE: usize = 1_000;

/// Returns the local part of the n-th address. Each has one of both terms, a few in the
/// middle have both, and two of these have a longer term.
fn local_part(n: usize) -> String {
    match n {
        _ if n == EACH + 3 => "annabel.west".to_owned(),
        _ if n == EACH - 3 => "anna.western".to_owned(),
        _ if n.abs_diff(EACH) < 10 => "anna.west".to_owned(),
        _ if n < EACH => "anna".to_owned(),
        _ => "west".to_owned(),
    }
}

async fn finds_matches_of_both_terms<S: Store>(invitations: &Invitations<S>) {
    let sales = Division::new("sales").unwrap();
    let mut both = Vec::new();
    for first in (0..2 * EACH).step_by(AT_ONCE) {
        let numbers = first..first + AT_ONCE;
        let draft = |n: usize| {
            let email = format!("{}.{n}@example.com", local_part(n)).parse::<Email>().unwrap();
            Draft::new()
                .for_email(email)
                .in_division(sales.clone())
                .with_role(Role::new("staff").unwrap())
        };
        let drafts = numbers.clone().map(draft).collect();
        let created = invitations.create_many(&SystemActor::for_bootstrap(), drafts).await.unwrap();
        let ids = created.iter().map(|created| created.invitation().id());
        both.extend(numbers.zip(ids).filter(|(n, _)| n.abs_diff(EACH) < 10).map(|(_, id)| id));
    }
    both.reverse();

    for page in [7, 200] {
        let (found, _) = all(invitations, "west anna", page).await;
        assert_eq!(found, both);
    }
}

/// Returns all matches of a search, and on how many pages they were.
pub(super) async fn all<S: Store>(
    invitations: &Invitations<S>,
    text: &str,
    page: u32,
) -> (Vec<InvitationId>, usize) {
    let criteria = Criteria::new().matching(text);
    let (mut found, mut pages) = (Vec::new(), 0);
    let mut paging = Paging::first(page).unwrap();
    loop {
        let listed = invitations.list(&manager(), &criteria, paging).await.unwrap();
        found.extend(listed.items().iter().map(|view| view.invitation().id()));
        pages += 1;
        let Some(next) = listed.next() else { return (found, pages) };
        paging = Paging::first(page).unwrap().after(next);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_search_finds_matches_of_both_terms() {
    let _turn = TURN.lock().await;
    let url = invitation_testkit::Postgres::shared().create_database();
    let store = PgStore::new(PgPool::connect(&url).await.unwrap());
    store.migrate().await.unwrap();
    finds_matches_of_both_terms(&Invitations::new(store)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_search_finds_matches_of_both_terms() {
    let _turn = TURN.lock().await;
    finds_matches_of_both_terms(&Invitations::new(SqliteStore::in_memory().await.unwrap())).await;
}

#[cfg(feature = "mysql")]
#[tokio::test(flavor = "multi_thread")]
async fn mariadb_search_finds_matches_of_both_terms() {
    let _turn = TURN.lock().await;
    let url = invitation_testkit::MariaDb::shared().create_database();
    let pool = invitation_sqlx::sqlx::MySqlPool::connect(&url).await.unwrap();
    let store = invitation_sqlx::MySqlStore::new(pool);
    store.migrate().await.unwrap();
    finds_matches_of_both_terms(&Invitations::new(store)).await;
}
