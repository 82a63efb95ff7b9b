//! Which callers see a code, and in which form.

use std::num::NonZeroU32;

use invitation_core::{
    Actor, CodeFormat, Criteria, Division, Draft, Invitations, MemoryStore, Paging, Policy,
    Redeemer, Refusal, Right, Rights, Role, Status, UserId, Username,
};

fn role(name: &str) -> Role {
    Role::new(name).expect("a role")
}

fn in_sales(user: &str, name: &str) -> Actor {
    let sales = Division::new("sales").expect("a division");
    Actor::in_division(UserId::new(user).expect("an id"), role(name), sales)
}

#[tokio::test]
async fn who_may_view_but_not_copy_sees_no_code() {
    let policy = Policy::default().with_role(role("auditor"), Rights::none().may([Right::View]));
    let invitations = Invitations::new(MemoryStore::new()).with_policy(policy);
    let (manager, auditor) = (in_sales("mia", "manager"), in_sales("otto", "auditor"));
    let created = invitations.create(&manager, Draft::new()).await.expect("a manager may");
    let id = created.invitation().id();

    for (actor, expected) in [(&manager, Some(created.code())), (&auditor, None)] {
        let view = invitations.get(actor, id).await.expect("both may view");
        assert_eq!(view.code(), expected, "{}", actor.role());
        let page = invitations.list(actor, &Criteria::new(), Paging::default()).await;
        assert_eq!(page.expect("both may list").items()[0].code(), expected);
    }
    let refused = invitations.copy(&auditor, id).await.expect_err("not a right of auditors");
    assert_eq!(refused.refusal(), Some(&Refusal::Forbidden { right: Right::Copy }));
}

#[tokio::test]
async fn codes_of_a_former_format_are_still_shown() {
    let invitations = Invitations::new(MemoryStore::new());
    let manager = in_sales("mia", "manager");
    let old = invitations.create(&manager, Draft::new()).await.expect("a manager may");
    let shorter = CodeFormat::new(17).and_then(|f| f.with_prefix("ACME")).expect("a format");
    let invitations = invitations.with_code_format(shorter).expect("enough bits");
    let new = invitations.create(&manager, Draft::new()).await.expect("a manager may");

    let page = invitations.list(&manager, &Criteria::new(), Paging::default()).await;
    let page = page.expect("the list does not stumble over it");
    let codes: Vec<_> = page.items().iter().map(|view| view.code()).collect();
    assert_eq!(codes, [Some(new.code()), Some(old.code())]);
    assert!(new.code().reveal().starts_with("ACME-"));
}

#[tokio::test]
async fn counts_and_list_agree_on_a_search_for_a_code() {
    let invitations = Invitations::new(MemoryStore::new());
    let manager = in_sales("mia", "manager");
    let created = invitations.create(&manager, Draft::new()).await.expect("a manager may");
    let code = created.code().reveal();
    let other = if &code[5..6] == "7" { "8" } else { "7" };
    for (search, expected) in [
        (code[..4].to_owned(), 1),
        (code[..6].to_owned(), 1),
        (format!("{}{other}", &code[..5]), 0),
        (code.to_string(), 1),
    ] {
        let criteria = Criteria::new().matching(search.as_str());
        let counts = invitations.counts(&manager, &criteria).await.expect("a manager may");
        assert_eq!(counts.of(Status::Active), expected, "{search}");
        let page = invitations.list(&manager, &criteria, Paging::default()).await;
        let listed = page.expect("a manager may").items().len();
        assert_eq!(u32::try_from(listed), Ok(expected), "{search}");
    }
}

#[tokio::test]
async fn used_by_shows_the_last_and_how_many() {
    let invitations = Invitations::new(MemoryStore::new());
    let admin = in_sales("ada", "admin");
    let uses = NonZeroU32::MIN.saturating_add(2);
    let draft = Draft::new().with_role(Role::new("staff").expect("a role")).for_uses(uses);
    let created = invitations.create(&admin, draft).await.expect("an administrator may");
    assert!(created.invitation().used_by().is_none());
    for (name, told) in [("anna", "anna"), ("ben", "ben and 1 more"), ("cleo", "cleo and 2 more")] {
        let id = UserId::new(format!("u-{name}")).expect("an id");
        let newcomer = Redeemer::new(id, Username::new(name).expect("a name"));
        invitations.redeem(&created.code().reveal(), &newcomer).await.expect("uses are left");
        let view = invitations.get(&admin, created.invitation().id()).await.expect("it is there");
        let used_by = view.invitation().used_by().expect("somebody used it");
        assert_eq!(used_by.to_string(), told);
        assert_eq!(used_by.last().as_str(), name);
    }
}
