//! A person who was erased from a store: its log is valid again once the log has erased the person
//! too, and not before.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use invitation_audit::{
    FindingKind, MemoryLog, Sealer, StoreReport, Verdict, Verifier, verify_store,
};
use invitation_core::{
    Actor, Division, Draft, Email, IfVersion, Invitations, MemoryStore, Paging, Redeemer, Role,
    SystemActor, UserId, Username,
    audit::{RequestContext, Source},
    erasure::{ERASED, Person},
};

use self::support::{lines, public, records, seal_all, sealer};

const ADDRESS: &str = "quill.canary@example.com";

struct Host {
    invitations: Invitations<MemoryStore>,
    log: MemoryLog,
}

fn person() -> Person {
    let address = Email::parse(ADDRESS).unwrap();
    Person::new(UserId::new("u-7").unwrap()).with_address(address).unwrap()
}

fn admin() -> Actor {
    let actor = Actor::across_divisions(UserId::new("u-1").unwrap(), Role::new("admin").unwrap());
    let zoe = Username::new("Zoe").unwrap();
    actor.based_in(Division::new("sales").unwrap()).with_name(zoe)
}

impl Host {
    fn new() -> Self {
        Self { invitations: Invitations::new(MemoryStore::new()), log: MemoryLog::new() }
    }

    /// The person redeems a code, and an invitation to the address is revoked: five events, of
    /// which the person performed one, and one has the masked address.
    async fn work(&self) {
        let draft = || Draft::new().with_role(Role::new("staff").unwrap());
        let service = &self.invitations;
        let code = service.create(&admin(), draft()).await.unwrap().code().reveal();
        let context =
            RequestContext { correlation: None, source: Source::new("canary-source").ok() };
        let canary = Redeemer::new(person().user().clone(), Username::new("Canary").unwrap());
        service.redeem(&code, &canary.with_context(context)).await.unwrap();
        let bound = draft().for_email(person().addresses()[0].clone());
        let id = service.create(&admin(), bound).await.unwrap().invitation().id();
        service.revoke(&admin(), id, None, IfVersion::Any).await.unwrap();
    }

    fn sealer(&self) -> Sealer<&MemoryStore, &MemoryLog> {
        sealer(self.invitations.store(), &self.log, 3)
    }

    async fn seal(&self) {
        seal_all(&mut self.sealer()).await;
    }

    async fn erase_store(&self) {
        let mut paging = Paging::first(2).unwrap();
        let job = SystemActor::for_bootstrap();
        while let Some(next) =
            self.invitations.erase_person(&job, &person(), paging).await.unwrap().next()
        {
            paging = paging.after(next);
        }
    }

    async fn erase_log(&self) -> u64 {
        self.sealer().erase_user(person().user()).await.unwrap()
    }

    async fn report(&self) -> StoreReport {
        let verifier = Verifier::new([public()]);
        verify_store(self.invitations.store(), &self.log, verifier).await.unwrap()
    }

    async fn text(&self) -> String {
        lines(&records(&self.log).await).concat()
    }
}

#[tokio::test]
async fn erased_store_fits_its_log_only_with_the_record_of_the_erasure() {
    let host = Host::new();
    host.work().await;
    host.seal().await;
    let text = host.text().await;
    assert!(text.contains("Canary") && text.contains("q***@"));

    host.erase_store().await;
    let Verdict::Tampered(finding) = host.report().await.verdict else { panic!("it is erased") };
    assert_eq!((finding.kind, finding.entries.start), (FindingKind::Altered, 1));
    assert_eq!(finding.fields, ["name", "source"]);

    host.seal().await;
    assert!(matches!(host.report().await.verdict, Verdict::Tampered(_)), "no record yet");
    assert_eq!(host.erase_log().await, 2, "that of the person, and that with the masked address");
    let report = host.report().await;
    assert!(matches!(report.verdict, Verdict::Unanchored { .. }), "{report:?}");
    assert_eq!((report.unsealed, report.purged), (0, 0));
    let text = host.text().await;
    for gone in ["Canary", "canary", "q***@"] {
        assert!(!text.contains(gone), "{gone}: {text}");
    }
    assert!(text.contains("u-7") && text.matches("Zoe").count() == 3, "others stay: {text}");

    // A second time, nothing is left to erase.
    host.erase_store().await;
    assert_eq!(host.erase_log().await, 0);
    host.seal().await;
    assert!(matches!(host.report().await.verdict, Verdict::Unanchored { .. }));
}

#[tokio::test]
async fn event_that_was_erased_before_it_was_sealed_is_sealed_without_the_values() {
    let host = Host::new();
    host.work().await;
    host.erase_store().await;
    host.seal().await;
    let text = host.text().await;
    assert!(!text.contains("anary") && text.contains(ERASED) && text.contains("u-7"), "{text}");
    assert!(matches!(host.report().await.verdict, Verdict::Unanchored { .. }));
    // The log erases what the store left in place of the values, and stays valid.
    host.erase_log().await;
    assert!(matches!(host.report().await.verdict, Verdict::Unanchored { .. }));
    assert_eq!(host.erase_log().await, 0);
}

#[tokio::test]
async fn erasure_of_another_person_excuses_nothing() {
    let host = Host::new();
    host.work().await;
    host.seal().await;
    host.erase_store().await;
    host.seal().await;
    let other = UserId::new("u-8").unwrap();
    assert_eq!(host.sealer().erase_user(&other).await.unwrap(), 0);
    assert!(matches!(host.report().await.verdict, Verdict::Tampered(_)));
}
