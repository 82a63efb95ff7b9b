//! Redeeming: once, by the right person, with evidence.

use invitation_core::{
    Action, CorrelationId, Draft, Error, EventOutcome, Expiry, IfVersion, Metadata, ParseCodeError,
    Performer, Redemption, Refusal, RequestContext, Source, Status,
};

use crate::{
    Fixture,
    support::{
        harness::{Harness, refusal},
        samples::{admin, at, division, email, later, newcomer, newcomer_with_email, role, user},
    },
};

/// A single-use code is redeemed once. The newcomer gets the role and division of the
/// invitation, the invitation is used from then on, and one event is written.
pub async fn single_use_code_is_redeemed_once(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let metadata = Metadata::new(serde_json::json!({"starts": "2027-01-04"})).expect("metadata");
    let created = harness.create(Draft::new().with_metadata(metadata.clone())).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    harness.clock.advance(time::Duration::HOUR);
    let context = RequestContext {
        correlation: Some(CorrelationId::new("request 7").expect("a correlation id")),
        source: Some(Source::new("2001:db8::1").expect("a source")),
    };
    let anna = newcomer("anna").with_context(context.clone());
    let redeemed = harness.service.redeem(&code, &anna).await.expect("it is active");
    assert!(!redeemed.is_replayed(), "the first time is not a replay");
    assert_eq!(redeemed.invitation(), id);
    assert_eq!((redeemed.role(), redeemed.division()), (&role("staff"), &division("sales")));
    assert_eq!((redeemed.username().as_str(), redeemed.at()), ("anna", harness.now()));
    assert_eq!(redeemed.metadata(), Some(&metadata), "what the host attached");

    let stored = harness.stored(id).await;
    let redemption = Redemption {
        id: redeemed.redemption().id,
        user: user("u-anna"),
        username: anna.username().clone(),
        at: harness.now(),
        role: role("staff"),
        lease: None,
        mailbox: None,
    };
    assert_eq!(stored.last_use.as_ref(), Some(&redemption), "Used By");
    assert_eq!(stored.status(harness.now()), Status::Used);
    assert_eq!((stored.uses, stored.version), (1, 1), "a use is no change of terms");

    let events = harness.events_by_user(&user("u-anna")).await;
    assert_eq!(events.len(), 1, "one event: {events:?}");
    let event = &events[0];
    assert_eq!((event.id, event.at), (redemption.id, harness.now()), "the redemption's evidence");
    assert_eq!((event.action, event.outcome), (Action::Redeem, EventOutcome::Succeeded));
    assert_eq!((event.reason, &event.context), (None, &context));
    assert_eq!((event.invitation, &event.division), (Some(id), &Some(division("sales"))));
    let by = Performer::Redeemer { user: user("u-anna"), username: anna.username().clone() };
    assert_eq!(event.performer, by);

    let again = harness.service.redeem(&code, &newcomer("bob")).await;
    assert_eq!(refusal(again), Refusal::Used, "by another user");
    assert_eq!(harness.stored(id).await, stored, "and nothing has changed");
}

/// A code is accepted in every spelling in which a person may type it.
pub async fn code_in_any_spelling_is_redeemed(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let typed: [fn(&str) -> String; 5] = [
        |code| code.to_lowercase(),
        |code| code.replace('-', ""),
        |code| format!("  {}\u{a0}", code.replace('-', " ")),
        |code| code.replace('0', "O").replace('1', "i"),
        |code| code.replace('0', "o").replace('1', "L").replace('-', "\u{2013}"),
    ];
    for (n, typed) in typed.into_iter().enumerate() {
        let created = harness.create(Draft::new()).await;
        let text = typed(&created.code().reveal());
        let redeemed = harness.service.redeem(&text, &newcomer(&format!("n{n}"))).await;
        assert!(redeemed.is_ok(), "typed in way {n}: {redeemed:?}");
    }
}

/// A text that cannot be a code fails with its own error type. Nothing is recorded and no
/// use is consumed.
pub async fn mistyped_code_writes_no_event(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new()).await;
    let code = created.code().reveal();
    let before = harness.snapshot().await;
    let mut wrong = code.to_string();
    let last = if wrong.pop() == Some('7') { '8' } else { '7' };
    wrong.push(last);
    let typed = [
        String::new(),
        " - ".to_owned(),
        "null".to_owned(),
        "\0".to_owned(),
        "0".repeat(24),
        "A".repeat(10_000),
        code[..code.len() - 1].to_owned(),
        format!("{}7", &*code),
        wrong,
        code.replace('-', "u"),
    ];
    for text in typed {
        match harness.service.redeem(&text, &newcomer("anna")).await {
            Err(Error::ParseCode(_)) => {}
            other => panic!("{text:?} cannot be a code, but: {other:?}"),
        }
    }
    let empty = harness.service.redeem("", &newcomer("anna")).await;
    assert!(matches!(empty, Err(Error::ParseCode(ParseCodeError::Empty))), "{empty:?}");
    assert_eq!(harness.snapshot().await, before, "neither an event nor a change");
}

/// A code is valid while `now < expires_at`, to the microsecond.
pub async fn redeem_from_the_instant_of_expiry_is_refused(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let until = at(harness.now().as_micros() + 7_200_000_001);
    for (by, valid) in [(-1, true), (0, false), (1, false)] {
        harness.clock.set(later(until, -7_200_000_001));
        let created = harness.create(Draft::new().expiring(Expiry::At(until))).await;
        harness.clock.set(later(until, by));
        let name = format!("n{}", by + 1);
        let redeemed = harness.service.redeem(&created.code().reveal(), &newcomer(&name)).await;
        if valid {
            assert!(redeemed.is_ok(), "the last instant: {redeemed:?}");
        } else {
            assert_eq!(refusal(redeemed), Refusal::Expired { at: until }, "{by} µs after");
        }
    }
}

/// A code with several uses is redeemed by exactly that number of different people, each
/// once.
pub async fn multi_use_code_is_redeemed_max_uses_times(fixture: Fixture) {
    let harness = Harness::new(fixture);
    for uses in [2_u32, 3, 10] {
        let created = harness.create_for_uses(uses).await;
        let (id, code) = (created.invitation().id(), created.code().reveal());
        for n in 0..uses {
            assert_eq!(
                harness.stored(id).await.status(harness.now()),
                Status::Active,
                "uses are left"
            );
            let anna = newcomer(&format!("n{uses}-{n}"));
            let first = harness.service.redeem(&code, &anna).await.expect("a use is left");
            let again = harness.service.redeem(&code, &anna).await.expect("a repeat is harmless");
            assert!(!first.is_replayed() && again.is_replayed(), "once each");
            assert_eq!(first.redemption(), again.redemption(), "the same redemption");
            assert_eq!(harness.stored(id).await.uses, n + 1, "counted once");
        }
        let late = harness.service.redeem(&code, &newcomer(&format!("late{uses}"))).await;
        assert_eq!(refusal(late), Refusal::Used, "one too many");
        let stored = harness.stored(id).await;
        assert_eq!((stored.uses, stored.status(harness.now())), (uses, Status::Used));
        let mut events = harness.events_of_invitation(id).await;
        events.retain(|event| event.outcome == EventOutcome::Succeeded);
        let redeems = events.iter().filter(|event| event.action == Action::Redeem).count();
        assert_eq!(u32::try_from(redeems), Ok(uses), "one event each");
    }
}

/// A code bound to an address can only be redeemed with a proof of that address, in any
/// letter case. Other people are refused, and the code stays valid.
pub async fn bound_code_without_the_proved_address_is_refused(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new().for_email(email("Anna.Lind@Exämple.com"))).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    for (n, redeemer) in [
        newcomer("none"),
        newcomer("anna.lind@exämple.com"),
        newcomer_with_email("other", "bob@exämple.com"),
        newcomer_with_email("sub", "anna.lind@mail.exämple.com"),
        newcomer_with_email("plus", "anna.lind+x@exämple.com"),
        newcomer_with_email("dots", "annalind@exämple.com"),
    ]
    .into_iter()
    .enumerate()
    {
        let refused = refusal(harness.service.redeem(&code, &redeemer).await);
        assert_eq!(refused, Refusal::AddressProofRequired, "{n}: one answer to all of them");
        assert_eq!(harness.stored(id).await.uses, 0, "{n}: it stays unspent");
    }
    let anna = newcomer_with_email("anna", "ANNA.LIND@EXA\u{308}MPLE.com");
    let redeemed = harness.service.redeem(&code, &anna).await;
    assert!(redeemed.is_ok(), "the right person in another spelling: {redeemed:?}");
}

/// Amending the address, or rotating the code, applies to the next redemption.
pub async fn redeem_after_a_change_follows_the_new_terms(fixture: Fixture) {
    use invitation_core::Amendment;

    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new().for_email(email("old@example.com"))).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let amendment = Amendment::new().for_email(email("new@example.com"));
    harness.service.amend(&admin(), id, amendment, IfVersion::Any).await.expect("may amend");
    let old = harness.service.redeem(&code, &newcomer_with_email("old", "old@example.com")).await;
    assert_eq!(refusal(old), Refusal::AddressProofRequired, "the old address");
    let rotated = harness.service.rotate(&admin(), id, IfVersion::Any).await.expect("may rotate");
    let anna = newcomer_with_email("anna", "new@example.com");
    let old = harness.service.redeem(&code, &anna).await;
    assert_eq!(refusal(old), Refusal::CodeUnknown, "the old code");
    let redeemed = harness.service.redeem(&rotated.code().reveal(), &anna).await;
    assert_eq!(redeemed.map(|redeemed| redeemed.invitation()).ok(), Some(id), "code and address");
}
