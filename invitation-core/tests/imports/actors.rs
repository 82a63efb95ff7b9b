//! The user in whose name a worker creates invitations, and the users who see the results.

use std::sync::Arc;

use invitation_core::{
    Action, Actor, Division, EventCriteria, IfVersion, Invitation, MemoryStore, Paging, Performer,
    Policy, Right, Rights, Role, UserId, Username,
    import::{OutcomeKind, file::FileFormat, jobs::ImportOrder},
};

use crate::{FILE, Scene, admin, weak::Weak};

fn role(name: &str) -> Role {
    Role::new(name).expect("a role")
}

fn division(name: &str) -> Division {
    Division::new(name).expect("a division")
}

fn user(name: &str) -> UserId {
    UserId::new(name).expect("an id")
}

/// Lets managers import. They may not create invitations to other divisions.
fn policy() -> Policy {
    Policy::default().with_added_rights(role("manager"), Rights::none().may([Right::Bulk]))
}

/// Returns a user with the right to import, and no other one.
fn let_a_clerk_import(scene: &mut Scene<Arc<MemoryStore>>) -> Actor {
    let rights = Rights::none().may([Right::Bulk]);
    let policy = Policy::default().with_added_rights(role("clerk"), rights);
    scene.invitations = scene.invitations.clone().with_policy(policy);
    Actor::across_divisions(user("c-1"), role("clerk"))
}

#[tokio::test]
async fn worker_has_the_reach_the_home_and_the_name_of_the_user() {
    let mut scene = Scene::new(Weak::default());
    scene.invitations = scene.invitations.with_policy(policy());
    let manager = Actor::in_division(user("m-1"), role("manager"), division("sales"));
    let order = ImportOrder::new(FileFormat::Csv);
    let file = b"division\nsales\noperations\n";
    let submitted = scene.submit_as(&manager, order, file, None).await.expect("an order");
    let central = Actor::across_divisions(user("a-1"), role("admin"))
        .based_in(division("operations"))
        .with_name(Username::new("ada").expect("a name"));
    let home = scene.submit_as(&central, order, b"role\nstaff\n", None).await.expect("an order");
    let _ = scene.run().await.expect("a run");
    let outcomes: Vec<_> =
        scene.rows(submitted.job.id()).await.iter().map(|row| row.outcome).collect();
    assert_eq!(outcomes, [OutcomeKind::Created, OutcomeKind::Forbidden]);
    let rows = scene.rows(home.job.id()).await;
    let invitation = rows[0].invitation.as_ref().expect("an invitation");
    assert_eq!(invitation.division(), &division("operations"));

    let criteria = EventCriteria::new().of_action(Action::Create).by_user(user("a-1"));
    let events = scene.invitations.events(&admin(), &criteria, Paging::default()).await;
    let events = events.expect("events");
    let [created] = events.items() else { panic!("{events:?}") };
    let Performer::Actor { name, .. } = &created.performer else { panic!("{created:?}") };
    assert_eq!(name.as_ref().map(Username::as_str), Some("ada"));
}

#[tokio::test]
async fn results_have_the_codes_only_for_users_who_may_copy_them() {
    let mut scene = Scene::new(Weak::default());
    let clerk = let_a_clerk_import(&mut scene);
    let id = scene.order(FileFormat::Csv, FILE.as_bytes()).await;
    let none = scene.order(FileFormat::Csv, b"email\nnobody\n").await;
    let _ = scene.run().await.expect("a run");
    let results = scene.imports.results(&scene.invitations, &clerk, id).await;
    let rows = results.expect("results").next_page(&scene.invitations).await.expect("a page");
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.invitation.is_some() && row.code.is_none()));
    assert_eq!(scene.rows(none).await.len(), 1);
    let copies = EventCriteria::new().of_action(Action::Copy);
    let events = scene.invitations.events(&admin(), &copies, Paging::default()).await;
    assert!(events.expect("events").items().is_empty(), "no code was copied");
}

#[tokio::test]
async fn results_show_what_became_of_each_invitation() {
    use OutcomeKind::{Created, Deleted, Invalid};

    let scene = Scene::new(Weak::default());
    let id = scene.order(FileFormat::Csv, FILE.as_bytes()).await;
    let _ = scene.run().await.expect("a run");
    let ids: Vec<_> = scene
        .rows(id)
        .await
        .iter()
        .filter_map(|row| row.invitation.as_ref())
        .map(Invitation::id)
        .collect();
    let (invitations, any) = (&scene.invitations, IfVersion::Any);
    invitations.delete(&admin(), ids[0], any).await.expect("it is deleted");
    invitations.revoke(&admin(), ids[1], None, any).await.expect("it is revoked");
    let rows = scene.rows(id).await;
    let outcomes: Vec<_> = rows.iter().map(|row| row.outcome).collect();
    assert_eq!(outcomes, [Deleted, Created, Created, Invalid, Created]);
    assert!(rows[0].invitation.is_none() && rows[0].code.is_none());
    let revoked = rows[1].invitation.as_ref().expect("it is there");
    assert_eq!(revoked.status(scene.invitations.now()), invitation_core::Status::Revoked);
}

#[tokio::test]
async fn results_hide_what_became_of_an_invitation_from_users_who_may_not_view_it() {
    let mut scene = Scene::new(Weak::default());
    let clerk = let_a_clerk_import(&mut scene);
    let id = scene.order(FileFormat::Csv, FILE.as_bytes()).await;
    let _ = scene.run().await.expect("a run");
    let first = scene.rows(id).await[0].invitation.as_ref().map(Invitation::id).expect("an id");
    scene.invitations.revoke(&admin(), first, None, IfVersion::Any).await.expect("it is revoked");
    let results = scene.imports.results(&scene.invitations, &clerk, id).await;
    let rows = results.expect("results").next_page(&scene.invitations).await.expect("a page");
    assert!(rows.iter().all(|row| row.outcome == OutcomeKind::Created));
    let shown: Vec<_> = rows.iter().map(|row| row.invitation.is_some()).collect();
    assert_eq!(shown, [false, true]);
}
