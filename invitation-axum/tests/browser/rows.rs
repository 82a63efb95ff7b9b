//! The rows of the list: one line each in a wide window, with a menu for rare actions.

use invitation_testkit::{Look, keys};

use crate::scene::Scene;

const LAPTOP: Look = Look { size: (1280, 800), dark: false, scripts: true };

/// Whether an element and everything in it fits into the width that it has.
const FITS: &str = "return [document.documentElement, document.querySelector('.inv'), \
    ...document.querySelectorAll('.inv-table-wrap')]\
    .every((part) => part.scrollWidth <= part.clientWidth)";

/// Whether a row is not higher than one line with its buttons.
const IS_ONE_LINE: &str = "return [...document.querySelectorAll('tbody tr')]\
    .every((row) => row.offsetHeight > 0 && row.offsetHeight <= 50)";

const OPEN_MENUS: &str = "document.querySelectorAll('.inv-more[open]').length";

#[tokio::test]
async fn a_row_of_a_wide_list_is_one_line() {
    let mut scene = Scene::open(LAPTOP).await;
    scene.host.fill(12).await;
    scene.host.fill_with_long_texts().await;
    for scripts in [true, false] {
        if !scripts {
            scene = scene.reopen(Look { scripts, ..LAPTOP }).await;
        }
        for user in ["sales-manager", "admin"] {
            scene.sign_in(user).await;
            for width in [1200, 1280, 1440, 1920] {
                scene.window.look(Look { size: (width, 800), scripts, ..LAPTOP }).await;
                scene.until(IS_ONE_LINE).await;
                scene.until(FITS).await;
            }
        }
    }
    scene.window.close().await;
}

#[tokio::test]
async fn a_list_with_long_texts_fits_any_window() {
    let mut scene = Scene::open(LAPTOP).await;
    scene.host.fill(3).await;
    scene.host.fill_with_long_texts().await;
    scene.sign_in("admin").await;
    for path in ["/invitations", "/invitations/events"] {
        scene.at(path).await;
        for width in [360, 768, 900, 1000, 1280] {
            scene.window.look(Look { size: (width, 800), ..LAPTOP }).await;
            scene.until(FITS).await;
            scene.keep(&format!("long-texts{}-{width}", path.replace('/', "-"))).await;
        }
    }
    // No text runs out of its cell into the next one.
    scene
        .until(
            "return [...document.querySelectorAll('td *')].every((part) => \
             part.getBoundingClientRect().right <= part.closest('td').getBoundingClientRect().right)",
        )
        .await;
    scene.window.close().await;
}

#[tokio::test]
async fn a_row_without_further_actions_has_no_menu() {
    let scene = Scene::open(LAPTOP).await;
    scene.host.fill(3).await;
    scene.sign_in("sales-manager").await;
    scene.until("return document.querySelectorAll('tbody .inv-copy button').length > 0").await;
    scene.until("return document.querySelectorAll('.inv-more').length === 0").await;
    scene.sign_in("admin").await;
    scene.until("return document.querySelectorAll('tbody .inv-more').length === 3").await;
    scene.window.close().await;
}

#[tokio::test]
async fn the_menu_of_a_row_is_used_by_keyboard() {
    let scene = Scene::open(LAPTOP).await;
    scene.host.fill(2).await;
    scene.sign_in("admin").await;
    scene.tab_to("More").await;
    scene.press(keys::ENTER).await;
    scene.until(&format!("return {OPEN_MENUS} === 1")).await;
    scene.keep("menu-open").await;
    scene.is_accessible("the open menu").await;
    scene.tab_to("Edit").await;
    scene.press(keys::ESCAPE).await;
    scene.until(&format!("return {OPEN_MENUS} === 0")).await;
    scene.until("return document.activeElement.matches('.inv-more > summary')").await;
    // The menu closes when the focus leaves it.
    scene.press(keys::ENTER).await;
    scene.tab_to("Copy").await;
    scene.until(&format!("return {OPEN_MENUS} === 0")).await;
    scene.tab_to("More").await;
    scene.press(keys::ENTER).await;
    scene.tab_to("Revoke").await;
    scene.press(keys::ENTER).await;
    scene.says("h1", &["Revoke this invitation?"]).await;
    scene.window.close().await;
}

#[tokio::test]
async fn a_click_elsewhere_closes_the_menu_of_a_row() {
    let scene = Scene::open(LAPTOP).await;
    scene.host.fill(8).await;
    scene.sign_in("admin").await;
    scene.click("More").await;
    scene.until(&format!("return {OPEN_MENUS} === 1")).await;
    scene.find("tr:nth-child(8) .inv-more > summary").await.click().await.expect("a click");
    scene.until(&format!("return {OPEN_MENUS} === 1")).await;
    scene.until("return document.querySelector('tr:nth-child(8) .inv-more').open").await;
    scene.find("h1").await.click().await.expect("a click");
    scene.until(&format!("return {OPEN_MENUS} === 0")).await;
    scene.window.close().await;
}

#[tokio::test]
async fn the_menu_of_a_row_works_without_scripts() {
    let scene = Scene::open(Look { scripts: false, ..LAPTOP }).await;
    scene.host.fill(1).await;
    scene.sign_in("admin").await;
    scene.click("More").await;
    scene.click("Delete").await;
    scene.says("h1", &["Delete this invitation?"]).await;
    scene.window.close().await;
}

#[tokio::test]
async fn every_entry_of_every_menu_can_be_clicked() {
    let mut scene = Scene::open(LAPTOP).await;
    scene.host.fill(9).await;
    scene.sign_in("admin").await;
    for size in [(360, 700), (900, 600), (1280, 600)] {
        scene.window.look(Look { size, ..LAPTOP }).await;
        for row in 1..=9 {
            let menu = format!("document.querySelector('tbody tr:nth-child({row}) .inv-more')");
            scene.until(&format!("{menu}.open = true; return {menu}.open")).await;
            scene
                .until(&format!(
                    "return [...{menu}.querySelectorAll('a')].every((entry) => {{ \
                     entry.scrollIntoView({{ block: 'nearest' }}); \
                     const box = entry.getBoundingClientRect(); \
                     const [x, y] = [box.left + box.width / 2, box.top + box.height / 2]; \
                     return document.elementFromPoint(x, y) === entry && box.left >= 0; }})"
                ))
                .await;
            scene.until(FITS).await;
        }
    }
    scene.window.close().await;
}
