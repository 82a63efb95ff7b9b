//! Tests of deliveries and of their documents.

use super::*;
use crate::{delivery::FailureKind, sample};

fn queued() -> Delivery {
    let id = DeliveryId::from_bytes([3; 16]);
    let invitation = InvitationId::from_bytes([1; 16]);
    let division = Division::new("sales").unwrap();
    Delivery::queued(id, DeliveryPurpose::Invited, invitation, division, sample::at(7))
}

#[test]
fn each_version_is_read_back_from_its_document_and_replaces_the_one_before() {
    let by = EventId::from_bytes([4; 16]);
    let message = MessageId::new(queued().id(), &"example.com".parse().unwrap());
    let failure = DeliveryFailure::new(FailureKind::Refused).with_reply(550);
    let claimed = queued().claimed(by, sample::at(60));
    let failed = claimed.failed(by, failure, sample::at(8));
    for (before, after) in [
        (queued(), claimed.clone()),
        (claimed.clone(), claimed.sent(by, &message, sample::at(8))),
        (claimed.clone(), claimed.due_again(by, sample::at(90), Some(failure))),
        (claimed.clone(), claimed.cancelled(by, Reason::Revoked, sample::at(8))),
        (claimed.clone(), failed.clone()),
        (failed.clone(), failed.retried(by, sample::at(9))),
    ] {
        let document = after.document().unwrap();
        assert_eq!(Delivery::of_document(&document).unwrap(), after);
        assert!(document.replaces(Some(&before.document().unwrap())));
        let ends = after.state() != DeliveryState::Queued;
        assert_eq!((after.next_attempt().is_none(), after.ended_at().is_some()), (ends, ends));
    }
    assert_eq!(failed.retried(by, sample::at(9)).attempts(), 0);
    assert_eq!(failed.failure().unwrap().to_string(), "refused (550)");
}

#[test]
fn document_of_another_form_is_refused() {
    let document = queued().document().unwrap();
    for body in [&b"{}"[..], br#"{"v":2,"purpose":"invited","attempts":0,"by":null}"#] {
        let other = Document { body: body.to_vec(), ..document.clone() };
        assert_eq!(Delivery::of_document(&other).unwrap_err().kind(), StoreErrorKind::Corrupt);
    }
    let lost = Document { invitation: None, ..document };
    assert!(Delivery::of_document(&lost).is_err());
}
