//! The actor of the benches, and the codes to redeem.

use invitation::{Actor, Division, Invitations, Role, Store, SystemActor, UserId};

use crate::callers::draft;

pub(crate) fn manager() -> Actor {
    let (user, role) = (UserId::new("u-1").unwrap(), Role::new("manager").unwrap());
    Actor::in_division(user, role, Division::new("sales").unwrap())
}

pub(crate) async fn fresh_codes<S: Store>(invitations: &Invitations<S>, n: usize) -> Vec<String> {
    let system = SystemActor::for_bootstrap();
    let mut codes = Vec::with_capacity(n);
    while codes.len() < n {
        let drafts = vec![draft(1); (n - codes.len()).min(1_000)];
        let created = invitations.create_many(&system, drafts).await.unwrap();
        codes.extend(created.iter().map(|created| created.code().reveal().to_string()));
    }
    // Callers take codes from the end, so reversing gives the order of creation, as in the
    // reference.
    codes.reverse();
    codes
}
