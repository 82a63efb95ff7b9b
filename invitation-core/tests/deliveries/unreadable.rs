//! Deliveries that this version of the library cannot read.

use std::num::NonZeroU32;

use invitation_core::{
    InvitationId, Paging, Timestamp,
    delivery::{Delivery, DeliveryId, DeliveryState},
    documents::{Document, DocumentKey, DocumentKind, DocumentState, Documents},
};
use time::Duration;

use crate::house::{Done, House, TEN, admin, division};

/// Returns a due delivery of this number with this body.
fn delivery(n: u128, due: Timestamp, invitation: InvitationId, body: &[u8]) -> Document {
    let id = DeliveryId::from_bytes(n.to_be_bytes()).to_string();
    let key = DocumentKey::new(DocumentKind::new("mail").unwrap(), id).unwrap();
    let document = Document::new(key, DocumentState::new("queued").unwrap(), due);
    let document = document.due_at(due).in_division(division("sales")).about(invitation);
    document.with_body(body.to_vec()).unwrap()
}

const NEWER: &[u8] = br#"{"v":2,"purpose":"invited","attempts":0,"by":null}"#;
const DAMAGED: &[u8] = b"\x00 no JSON";

/// Deliveries of a newer form, and damaged ones, stay at the head of the queue. Whatever their
/// number, they are left out, and those behind them are returned.
#[tokio::test]
async fn unreadable_deliveries_hold_up_no_others() -> Done {
    let house = House::new();
    let first = house.invite("anna@example.com").await.invitation().id();
    house.clock.advance(Duration::SECOND);
    let ids = [first, house.invite("ben@example.com").await.invitation().id()];
    house.queue().await;
    let long_ago = house.invitations.now().checked_add(-Duration::DAY).unwrap();
    for (number, body) in [(1, NEWER), (12, DAMAGED), (100, NEWER), (998, DAMAGED)] {
        let unreadable: Vec<_> = (0..number).map(|n| delivery(n, long_ago, ids[0], body)).collect();
        house.store.add_documents(&unreadable).await?;
        let due = house.due().await;
        assert_eq!(due.iter().map(Delivery::invitation).collect::<Vec<_>>(), ids, "{number}");
        let one = house.deliveries.due(NonZeroU32::MIN).await?;
        assert_eq!(one[..], due[..1], "{number}");
    }
    Ok(())
}

#[tokio::test]
async fn unreadable_delivery_is_left_out_of_lists() -> Done {
    let house = House::new();
    let id = house.invite("anna@example.com").await.invitation().id();
    house.queue().await;
    let now = house.invitations.now();
    house
        .store
        .add_documents(&[delivery(1, now, id, NEWER), delivery(2, now, id, DAMAGED)])
        .await?;
    house.delivery_of(id).await;
    let queued = Some(DeliveryState::Queued);
    let page = house.deliveries.list(&admin(), queued, Paging::first(TEN.get())?).await?;
    assert_eq!(page.items().len(), 1);
    Ok(())
}
