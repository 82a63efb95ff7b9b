//! Who acts, and codes for them to redeem.

use std::num::NonZeroU32;

use invitation_core::{
    Actor, Division, Draft, Invitations, Redeemer, Role, Store, SystemActor, UserId, Username,
};

pub(crate) fn manager() -> Actor {
    let (user, role) = (UserId::new("u-1").unwrap(), Role::new("manager").unwrap());
    Actor::in_division(user, role, Division::new("sales").unwrap())
}

pub(crate) fn newcomer(number: usize) -> Redeemer {
    let name = format!("person{number}");
    Redeemer::new(UserId::new(name.as_str()).unwrap(), Username::new(name).unwrap())
}

pub(crate) fn draft(uses: u32) -> Draft {
    Draft::new()
        .with_role(Role::new("staff").unwrap())
        .in_division(Division::new("sales").unwrap())
        .for_uses(NonZeroU32::new(uses).unwrap())
}

pub(crate) async fn fresh_codes<S: Store>(invitations: &Invitations<S>, n: usize) -> Vec<String> {
    let system = SystemActor::for_bootstrap();
    let mut codes = Vec::with_capacity(n);
    while codes.len() < n {
        let drafts = vec![draft(1); (n - codes.len()).min(1_000)];
        let created = invitations.create_many(&system, drafts).await.unwrap();
        codes.extend(created.iter().map(|created| created.code().reveal().to_string()));
    }
    codes
}
