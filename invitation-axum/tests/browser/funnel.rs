//! The funnel in the browser: what a screen reader gets, without the picture, in light and dark.

#![expect(clippy::unwrap_used, reason = "a test ends where its scene breaks")]

use invitation_testkit::{Look, keys};
use serde_json::{Value, json};

use crate::scene::Scene;

/// Returns the role and the name of each part of the page that the browser's accessibility tree
/// has, in the order in which a screen reader comes to it.
async fn accessible(scene: &Scene) -> Vec<(String, String)> {
    let tree = scene.window.accessibility_tree().await;
    let text = |node: &Value, name: &str| node[name]["value"].as_str().unwrap_or("").to_owned();
    let nodes = tree["nodes"].as_array().unwrap().iter();
    let nodes = nodes.filter(|node| node["ignored"] != json!(true));
    nodes.map(|node| (text(node, "role"), text(node, "name"))).collect()
}

async fn counted() -> Scene {
    let scene = Scene::open(Look::default()).await;
    scene.host.fill(40).await;
    scene.count().await;
    scene
}

#[tokio::test]
async fn screen_reader_reads_the_funnel_from_its_tables_and_its_picture_from_one_text() {
    let scene = counted().await;
    scene.sign_in("admin").await;
    scene.follow("Funnel").await;
    scene.says("h1", &["Funnel"]).await;
    let tree = accessible(&scene).await;
    let of = |role: &str| -> Vec<&str> {
        tree.iter().filter(|(own, _)| own == role).map(|(_, name)| &**name).collect()
    };
    assert_eq!(
        of("heading"),
        ["Funnel", "How far they came", "What they are now", "Time to redeem"]
    );
    // The picture is one image, whose name has the numbers. Its bars are no parts of their own.
    assert_eq!(of("image"), ["Created 40, Sent 0, Redeemed 7"]);
    assert_eq!(of("table"), ["How far they came", "What they are now", "Time to redeem"]);
    let expected = ["Step", "Invitations", "Share", "Status", "Invitations", "Share"];
    assert_eq!(of("columnheader")[..6], expected);
    let rows = of("rowheader");
    let steps = ["Created", "Sent", "Redeemed", "Active", "Expired", "Used", "Revoked", "Deleted"];
    assert_eq!((&rows[..8], rows.len()), (&steps[..], 8 + 11));
    // Each number follows the name of its row.
    let cells = |name: &str| {
        let at = tree.iter().position(|(role, own)| role == "rowheader" && own == name).unwrap();
        let cells = tree[at..].iter().filter(|(role, _)| role == "cell" || role == "gridcell");
        cells.take(2).map(|(_, name)| name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(cells("Created"), ["40", "100%"]);
    assert_eq!(cells("Redeemed"), ["7", "17%"]);
    scene.is_accessible("funnel").await;
    scene.window.close().await;
}

/// Applies the filter that was typed: with scripts, it acts when the focus leaves it.
async fn apply(scene: &Scene, scripts: bool) {
    if scripts {
        scene.press(keys::TAB).await;
    } else {
        scene.click("Apply").await;
    }
}

#[tokio::test]
async fn funnel_is_filtered_with_and_without_scripts() {
    for scripts in [true, false] {
        let scene = counted().await.reopen(Look { scripts, ..Look::default() }).await;
        scene.sign_in("admin").await;
        scene.at("/invitations/funnel").await;
        scene.find("#inv-division").await.send_keys("operations").await.unwrap();
        apply(&scene, scripts).await;
        scene.says(".inv-figures tbody tr:first-child td:nth-child(2)", &["8", "5", "2"]).await;
        let address = scene.client().current_url().await.unwrap();
        assert_eq!(address.query(), Some("division=operations"), "scripts: {scripts}");
        scene.says(".inv-sub strong", &["operations"]).await;
        scene.find("#inv-division").await.clear().await.unwrap();
        apply(&scene, scripts).await;
        scene.says(".inv-sub strong", &[]).await;
        assert!(scene.text(".inv-sub").await.ends_with("All divisions"));
        scene.window.close().await;
    }
}
