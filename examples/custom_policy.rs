//! A host with roles of its own: the policy is data.
//!
//! ```text
//! cargo run --example custom_policy
//! ```

use std::error::Error as StdError;

use invitation::{
    Actor, Amendment, Division, Draft, Expiry, IfVersion, Invitations, MemoryStore, Policy, Right,
    Role, UserId,
};

/// The policy, as a host's configuration file might contain it.
const POLICY: &str = r#"
{
    "roles": {
        "head-teacher": {
            "may": ["create", "bulk", "multi_use", "view", "copy", "amend", "revoke", "audit"],
            "grants": ["teacher", "student"]
        },
        "teacher": { "may": ["create", "multi_use", "view", "copy", "amend"], "grants": ["student"] },
        "student": {}
    }
}"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    let policy: Policy = serde_json::from_str(POLICY)?;
    let school = Invitations::new(MemoryStore::new()).with_policy(policy);

    let class = Division::new("class-7b")?;
    let actor = |user: &str, role: &str| -> Result<Actor, invitation::FieldError> {
        Ok(Actor::in_division(UserId::new(user)?, Role::new(role)?, class.clone()))
    };
    let head = actor("grace", "head-teacher")?;
    let teacher = actor("tom", "teacher")?;
    let student = actor("sue", "student")?;

    println!("Who may do what:");
    for actor in [&head, &teacher, &student] {
        let rights =
            Right::ALL.into_iter().filter(|right| school.policy().allows(actor.role(), *right));
        let grants: Vec<_> = school.policy().grants_of(actor.role()).map(Role::as_str).collect();
        println!("  {:<13} invites {grants:?}, may {:?}", actor.role(), rights.collect::<Vec<_>>());
    }

    println!(
        "\nOne code for a class of thirty; a teacher invites students only, so the role is plain:"
    );
    let thirty = 30.try_into()?;
    let created = school.create(&teacher, Draft::new().for_uses(thirty)).await?;
    println!("  {} for {}", *created.code().reveal(), created.invitation().role());

    println!("\nNobody hands out more than their own policy allows, on any path:");
    let teacher_role = Role::new("teacher")?;
    let draft = Draft::new().with_role(teacher_role.clone());
    let refused = school.create(&teacher, draft.clone()).await.map(|_| ());
    println!("  a teacher creates a teacher's code:  {}", why(refused));
    let for_colleague = school.create(&head, draft).await?.invitation().id();
    let longer = Amendment::new().expiring(Expiry::InDays(30));
    let refused = school.amend(&teacher, for_colleague, longer, IfVersion::Any).await.map(|_| ());
    println!("  a teacher extends a teacher's code:  {}", why(refused));
    let mine = created.invitation().id();
    let more = Amendment::new().with_role(teacher_role);
    let refused = school.amend(&teacher, mine, more, IfVersion::Any).await.map(|_| ());
    println!("  a teacher turns one into such:       {}", why(refused));
    let refused = school.create(&student, Draft::new()).await.map(|_| ());
    println!("  a student creates a code:            {}", why(refused));
    Ok(())
}

fn why(outcome: Result<(), invitation::Error>) -> String {
    match outcome {
        Ok(()) => panic!("this must be refused"),
        Err(error) => error.to_string(),
    }
}
