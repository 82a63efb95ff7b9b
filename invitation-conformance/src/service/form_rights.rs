//! Changing an invitation needs every right that creating it needs.

use std::num::NonZeroU32;

use invitation_core::{
    Action, Actor, Amendment, Binding, Criteria, Draft, Error, EventOutcome, Expiry, IfVersion,
    InvitationId, Paging, Policy, Reason, Record, Refusal, Revocation, Right, Rights,
};

use crate::{
    Fixture,
    support::{
        factory::Factory,
        harness::{Harness, Service, refusal},
        samples::{division, domain, email, later, role, start, user},
    },
};

/// The form-dependent rights of each role, in addition to every other right.
const ROLES: [(&str, &[Right]); 4] = [
    ("neither", &[]),
    ("multi", &[Right::MultiUse]),
    ("domain", &[Right::BindDomain]),
    ("both", &[Right::MultiUse, Right::BindDomain]),
];

fn policy() -> Policy {
    let others = Right::ALL.into_iter().filter(|right| right_of_form(*right).is_none());
    let every_other: Vec<_> = others.collect();
    ROLES.into_iter().fold(Policy::default(), |policy, (name, of_form)| {
        let may = every_other.iter().chain(of_form).copied();
        policy.with_role(role(name), Rights::none().may(may).granting([role("staff")]))
    })
}

fn right_of_form(right: Right) -> Option<Reason> {
    match right {
        Right::MultiUse => Some(Reason::MultiUseNotAllowed),
        Right::BindDomain => Some(Reason::DomainNotAllowed),
        _ => None,
    }
}

fn actor(role_name: &str) -> Actor {
    Actor::in_division(user(&format!("u-{role_name}")), role(role_name), division("sales"))
}

/// Returns the forms an administrator may have created: uses, binding, and the rights the
/// form needs.
fn forms() -> [(u32, Binding, &'static [Right]); 7] {
    let of_domain = || Binding::Domain(domain("example.com"));
    let to_address = Binding::Address(email("anna@example.com"));
    [
        (1, Binding::Anyone, &[]),
        (1, to_address, &[]),
        (2, Binding::Anyone, &[Right::MultiUse]),
        (1_000, Binding::Anyone, &[Right::MultiUse]),
        (1, of_domain(), &[Right::BindDomain]),
        (2, of_domain(), &[Right::MultiUse, Right::BindDomain]),
        (1_000, of_domain(), &[Right::MultiUse, Right::BindDomain]),
    ]
}

/// The changes that hand an invitation out anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Renewal {
    Extend,
    Revive,
    Unbind,
    BindToAddress,
    Rename,
    Rotate,
    Reinstate,
}

impl Renewal {
    const ALL: [Self; 7] = [
        Self::Extend,
        Self::Revive,
        Self::Unbind,
        Self::BindToAddress,
        Self::Rename,
        Self::Rotate,
        Self::Reinstate,
    ];

    fn right(self) -> Right {
        match self {
            Self::Rotate => Right::Rotate,
            Self::Reinstate => Right::Reinstate,
            _ => Right::Amend,
        }
    }

    fn action(self) -> Action {
        match self {
            Self::Rotate => Action::Rotate,
            Self::Reinstate => Action::Reinstate,
            _ => Action::Amend,
        }
    }

    /// Returns the invitation in the state that the change needs.
    fn prepare(self, row: Record) -> Record {
        match self {
            Self::Reinstate => {
                Record { revocation: Some(Revocation { at: start(), reason: None }), ..row }
            }
            Self::Revive => Record { expires_at: later(start(), -1), ..row },
            _ => row,
        }
    }

    async fn make(self, service: &Service, by: &Actor, id: InvitationId) -> Result<(), Error> {
        let any = IfVersion::Any;
        let amendment = match self {
            Self::Rotate => return service.rotate(by, id, any).await.map(drop),
            Self::Reinstate => return service.reinstate(by, id, any).await.map(drop),
            Self::Extend | Self::Revive => Amendment::new().expiring(Expiry::InDays(30)),
            Self::Unbind => Amendment::new().for_anyone(),
            Self::BindToAddress => Amendment::new().for_email(email("mallory@example.com")),
            Self::Rename => Amendment::new().with_role(role("staff")),
        };
        service.amend(by, id, amendment, any).await.map(drop)
    }
}

/// Amending, rotating and reinstating also need the rights of the invitation's form
/// (several uses, a domain). Without them, an actor cannot extend, revive, unbind or
/// rotate an administrator's invitation of that form. A denial changes nothing and names
/// the right in its event; the list of actions agrees.
pub async fn change_without_a_right_of_the_present_form_is_denied(fixture: Fixture) {
    let (harness, factory) = (Harness::with_unlimited_denials(fixture), Factory::new());
    let service = harness.service.clone().with_policy(policy());
    for (max_uses, binding, needs) in forms() {
        for (name, has) in ROLES {
            let by = actor(name);
            let lacking = needs.iter().find(|right| !has.contains(right)).copied();
            for renewal in Renewal::ALL {
                // A code with several uses cannot be bound to a single address.
                if renewal == Renewal::BindToAddress && max_uses > 1 {
                    continue;
                }
                let case = format!("{renewal:?} by {name} of {max_uses} uses for {binding:?}");
                let max_uses = NonZeroU32::new(max_uses).expect("at least one use");
                let row = Record { max_uses, binding: binding.clone(), ..factory.invitation() };
                let row = renewal.prepare(row);
                factory.insert(&*harness.store, std::slice::from_ref(&row)).await;
                let view = service.get(&by, row.id).await.expect("it may be viewed");
                let offered = view.actions().contains(&renewal.right());
                assert_eq!(offered, lacking.is_none(), "{case}: the list of actions");

                let answer = renewal.make(&service, &by, row.id).await;
                let Some(right) = lacking else {
                    assert!(answer.is_ok(), "{case}: {answer:?}");
                    continue;
                };
                assert_eq!(refusal(answer), Refusal::Forbidden { right }, "{case}");
                assert_eq!(harness.stored(row.id).await, row, "{case}: unchanged");
                let events = harness.events_of_invitation(row.id).await;
                let last = events.first().expect("an event");
                assert_eq!(last.outcome, EventOutcome::Denied, "{case}");
                assert_eq!(last.action, renewal.action(), "{case}");
                assert_eq!(last.reason, right_of_form(right), "{case}");
            }
        }
    }
}

/// An amendment is also denied if the missing right is for the new value: for example, a
/// domain that replaces another binding. The former form of the invitation does not
/// matter.
pub async fn change_without_a_right_of_the_new_form_is_denied(fixture: Fixture) {
    let (harness, factory) = (Harness::with_unlimited_denials(fixture), Factory::new());
    let service = harness.service.clone().with_policy(policy());
    let any = IfVersion::Any;
    for binding in [Binding::Anyone, Binding::Address(email("anna@example.com"))] {
        for (name, has) in ROLES {
            let row = Record { binding: binding.clone(), ..factory.invitation() };
            factory.insert(&*harness.store, std::slice::from_ref(&row)).await;
            let to_domain = Amendment::new().for_domain(domain("example.org"));
            let answer = service.amend(&actor(name), row.id, to_domain, any).await;
            let right = Right::BindDomain;
            if has.contains(&right) {
                assert!(answer.is_ok(), "{name} from {binding:?}: {answer:?}");
                continue;
            }
            assert_eq!(refusal(answer), Refusal::Forbidden { right }, "{name} from {binding:?}");
            assert_eq!(harness.stored(row.id).await, row, "{name}: unchanged");
            let events = harness.events_of_invitation(row.id).await;
            assert_eq!(events[0].reason, right_of_form(right), "{name}");
        }
    }
}

/// The rights of a form limit what can be handed out, not what can be seen. Viewing,
/// listing, searching, copying and revoking an invitation need only their own right.
pub async fn form_beyond_the_own_rights_can_be_viewed_copied_and_revoked(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let service = harness.service.clone().with_policy(policy());
    let by = actor("neither");
    let many = NonZeroU32::new(1_000).expect("at least one use");
    let draft = Draft::new().with_role(role("staff")).for_domain(domain("example.com"));
    let created = harness.create(draft.for_uses(many)).await;
    let id = created.invitation().id();

    let view = service.get(&by, id).await.expect("it may be viewed");
    assert!(view.code() == Some(created.code()), "with its code");
    assert_eq!(view.actions(), [Right::Copy, Right::Revoke, Right::Delete]);
    let copied = service.copy(&by, id).await.expect("it may be copied");
    assert!(copied == *created.code(), "the very code");
    let code = created.code().reveal();
    for criteria in [Criteria::new(), Criteria::new().matching(&code[..4])] {
        let page = service.list(&by, &criteria, Paging::default()).await.expect("a list");
        let found: Vec<_> = page.items().iter().map(|item| item.invitation().id()).collect();
        assert_eq!(found, [id]);
    }
    let revoked = service.revoke_all(&by, &Criteria::new(), None, Paging::default()).await;
    assert_eq!(revoked.expect("it may be withdrawn").revoked(), [id]);
    let answer = service.reinstate(&by, id, IfVersion::Any).await;
    let right = Right::MultiUse;
    assert_eq!(refusal(answer), Refusal::Forbidden { right }, "but not reinstated");
    service.delete(&by, id, IfVersion::Any).await.expect("it may be deleted");
}
