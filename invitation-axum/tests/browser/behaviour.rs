//! Behaviour in the browser: the clipboard, filters that act at once, use by keyboard
//! alone, and use without scripts.

use invitation_core::{Action, Criteria, Division, EventCriteria, Paging, Status};
use invitation_testkit::{Look, keys};

use crate::{host::person, scene::Scene};

#[tokio::test]
async fn copying_fills_the_clipboard_says_so_and_is_on_record() {
    let scene = Scene::open(Look::default()).await;
    scene.host.fill(3).await;
    scene.sign_in("sales-manager").await;
    let code = scene.text("tbody .inv-code").await.replace('\n', "");
    scene.find("tbody .inv-copy button").await.click().await.unwrap();
    scene.until("return document.querySelector('.inv-done')?.textContent === 'Copied'").await;
    scene
        .until("return document.querySelector('[data-inv-live]').textContent.includes('clipboard')")
        .await;
    scene.find("#inv-search").await.send_keys(keys::PASTE).await.unwrap();
    assert_eq!(scene.value("#inv-search").await, code);
    let criteria = EventCriteria::new().of_action(Action::Copy);
    let admin = person("admin").expect("an actor");
    let events = scene.host.service.events(&admin, &criteria, Paging::default()).await.unwrap();
    assert_eq!(events.items().len(), 1);
    // A search for the code leads to its invitation, and no address contains the code.
    scene.find("#inv-search").await.send_keys(keys::ENTER).await.unwrap();
    scene.until("return document.querySelector('.inv-reveal-code') !== null").await;
    assert_eq!(scene.text(".inv-reveal-code").await.replace('\n', ""), code);
    let address = scene.client().current_url().await.unwrap();
    assert!(address.query().is_none() && !address.as_str().contains(&code[..9]), "{address}");
    scene.window.close().await;
}

/// Returns how often a code was copied.
async fn copies(scene: &Scene) -> usize {
    let criteria = EventCriteria::new().of_action(Action::Copy);
    let admin = person("admin").expect("an actor");
    let events = scene.host.service.events(&admin, &criteria, Paging::default()).await;
    events.expect("events").items().len()
}

#[tokio::test]
async fn copying_without_a_clipboard_api_is_recorded_once() {
    let without = "Object.defineProperty(navigator, 'clipboard', { value: undefined });\
                   document.execCommand = () => window.works;";
    for (works, shown) in [
        (true, "return document.querySelector('.inv-done')?.textContent === 'Copied'"),
        (false, "return document.activeElement.matches('.inv-by-hand')"),
    ] {
        let scene = Scene::open(Look::default()).await;
        scene.host.fill(1).await;
        scene.sign_in("sales-manager").await;
        let code = scene.text("tbody .inv-code").await.replace('\n', "");
        let script = format!("{without} window.works = {works};");
        scene.client().execute(&script, Vec::new()).await.unwrap();
        // Two clicks at once, as in a double click.
        let twice = "const button = document.querySelector('tbody .inv-copy button');\
                     button.click(); button.click();";
        scene.client().execute(twice, Vec::new()).await.unwrap();
        scene.until(shown).await;
        if !works {
            assert_eq!(scene.value(".inv-by-hand").await, code);
            let selected = "const field = document.activeElement;\
                return field.selectionStart === 0 && field.selectionEnd === field.value.length";
            scene.until(selected).await;
            // The field covers the next row until the user leaves it.
            scene.press(keys::ESCAPE).await;
            scene.until("return document.querySelector('.inv-by-hand') === null").await;
            scene.until("return document.activeElement.matches('.inv-copy button')").await;
        }
        let address = scene.client().current_url().await.unwrap();
        assert_eq!(address.path(), "/invitations", "the page stays");
        assert_eq!(copies(&scene).await, 1);
        scene.window.close().await;
    }
}

#[tokio::test]
async fn the_name_of_the_copy_button_changes_with_its_text() {
    let scene = Scene::open(Look::default()).await;
    scene.host.fill(1).await;
    scene.sign_in("sales-manager").await;
    let named = |word: &str| {
        format!(
            "const button = document.querySelector('tbody .inv-copy button');\
             return button.textContent === '{word}'\
               && button.getAttribute('aria-label').startsWith('{word}: ')"
        )
    };
    scene.until(&named("Copy")).await;
    scene.find("tbody .inv-copy button").await.click().await.unwrap();
    scene.until(&named("Copied")).await;
    scene.until(&named("Copy")).await;
    scene.window.close().await;
}

#[tokio::test]
async fn back_from_a_found_invitation_returns_to_the_results() {
    for scripts in [true, false] {
        let scene = Scene::open(Look { scripts, ..Look::default() }).await;
        scene.host.fill(12).await;
        scene.sign_in("admin").await;
        scene.find("#inv-search").await.send_keys("anna").await.unwrap();
        scene.follow("Apply").await;
        let results = scene.client().current_url().await.unwrap();
        assert_eq!(results.query(), Some("search=anna"));
        let found = scene.text("#inv-results table").await;
        scene.find("tbody .inv-code").await.click().await.unwrap();
        scene.find(".inv-facts").await;
        scene.client().back().await.unwrap();
        scene.find("#inv-results table").await;
        assert_eq!(scene.client().current_url().await.unwrap(), results);
        assert_eq!(scene.value("#inv-search").await, "anna");
        assert_eq!(scene.text("#inv-results table").await, found);
        scene.window.close().await;
    }
}

#[tokio::test]
async fn a_filter_acts_at_once_and_keeps_the_focus() {
    let scene = Scene::open(Look::default()).await;
    scene.host.fill(12).await;
    scene.sign_in("admin").await;
    let select = scene.find("#inv-status").await;
    select.select_by_value("revoked").await.unwrap();
    scene.until("return location.search === '?status=revoked'").await;
    scene
        .until(
            "return [...document.querySelectorAll('tbody .inv-status')]\
             .every((status) => status.textContent === 'Revoked')",
        )
        .await;
    scene.until("return document.activeElement.id === 'inv-status'").await;
    // The link that clears the filters is there, as on a page that was loaded with them.
    scene.find(".inv-field-buttons a").await;
    scene.find("#inv-role").await.select_by_value("staff").await.unwrap();
    scene.until("return location.search === '?status=revoked&role=staff'").await;
    // After a return from another page, the same rows are shown.
    scene.client().refresh().await.unwrap();
    assert_eq!(scene.value("#inv-status").await, "revoked");
    scene.window.close().await;
}

#[tokio::test]
async fn numbers_above_the_list_are_those_of_the_division_that_is_chosen() {
    let scene = Scene::open(Look::default()).await;
    scene.host.fill(12).await;
    scene.sign_in("admin").await;
    scene.find("#inv-division").await.send_keys("operations").await.unwrap();
    scene.press(keys::TAB).await;
    let (admin, division) = (person("admin").unwrap(), Division::new("operations").unwrap());
    let criteria = Criteria::new().in_division(division);
    let counts = scene.host.service.counts(&admin, &criteria).await.unwrap();
    let expected = [Status::Active, Status::Used, Status::Expired, Status::Revoked]
        .map(|status| counts.of(status).to_string());
    scene.says(".inv-figure", &expected.each_ref().map(String::as_str)).await;
    scene.leave_by(scene.find(".inv-counts a").await).await;
    assert_eq!(scene.value("#inv-division").await, "operations");
    assert_eq!(scene.value("#inv-status").await, "active");
    scene.window.close().await;
}

/// The answer to an earlier change of a filter comes after that to a later one.
#[tokio::test]
async fn late_answer_to_an_earlier_filter_changes_nothing() {
    let scene = Scene::open(Look::default()).await;
    scene.host.fill(12).await;
    scene.sign_in("admin").await;
    // Holds the first answer back, with its whole body. The script handles an answer before the
    // next task of the browser begins.
    let hold = "const real = window.fetch;\
        const held = new Promise((release) => { window.release = release; });\
        let number = 0;\
        window.fetch = async (to, { signal, ...options }) => {\
          const first = number++ === 0;\
          const response = await real(to, options);\
          const text = await response.text();\
          if (first) { window.isHeld = true; await held; }\
          if (first) setTimeout(() => { window.isOver = true; });\
          const { ok, redirected, url } = response;\
          return { ok, redirected, url, text: async () => text };\
        };";
    scene.client().execute(hold, Vec::new()).await.unwrap();
    scene.find("#inv-status").await.select_by_value("revoked").await.unwrap();
    scene.until("return window.isHeld === true").await;
    scene.find("#inv-role").await.select_by_value("staff").await.unwrap();
    scene.find("#inv-status").await.select_by_value("active").await.unwrap();
    scene.until("return location.search === '?status=active&role=staff'").await;
    scene.client().execute("window.release()", Vec::new()).await.unwrap();
    scene.until("return window.isOver === true").await;
    scene.until("return document.querySelector('.inv-busy') === null").await;
    assert_eq!(scene.value("#inv-status").await, "active");
    assert_eq!(scene.value("#inv-role").await, "staff");
    let address = scene.client().current_url().await.unwrap();
    assert_eq!(address.query(), Some("status=active&role=staff"));
    let shown = "return [...document.querySelectorAll('tbody .inv-status')]\
        .every((status) => status.textContent === 'Active')";
    scene.until(shown).await;
    scene.window.close().await;
}

#[tokio::test]
async fn sort_by_expiry_shows_the_status_that_goes_with_it() {
    let scene = Scene::open(Look::default()).await;
    scene.host.fill(12).await;
    scene.sign_in("admin").await;
    scene.find("#inv-sort").await.select_by_value("expires").await.unwrap();
    scene.until("return location.search === '?status=active&sort=expires'").await;
    scene.until("return document.querySelector('#inv-status').value === 'active'").await;
    scene
        .until(
            "const times = [...document.querySelectorAll('tbody td:nth-child(5) time')]\
             .map((time) => time.dateTime);\
             return times.length > 1 && times.every((t, n) => n === 0 || times[n - 1] <= t)",
        )
        .await;
    scene.find("#inv-within").await.send_keys("3").await.unwrap();
    scene.press(keys::TAB).await;
    scene.until("return location.search === '?status=active&within=3&sort=expires'").await;
    // Another status does not go with the order, and the whole page says so.
    scene.find("#inv-status").await.select_by_value("used").await.unwrap();
    scene.until("return document.querySelector('#inv-sort-error') !== null").await;
    scene.window.close().await;
}

#[tokio::test]
async fn the_keyboard_alone_is_enough() {
    let scene = Scene::open(Look::default()).await;
    scene.sign_in("sales-manager").await;
    // The first Tab stop is the link that skips the menu.
    scene.press(keys::TAB).await;
    scene.until("return document.activeElement.className === 'inv-skip'").await;
    scene.press(keys::ENTER).await;
    scene.tab_to("Create Invitation").await;
    scene.press(keys::ENTER).await;
    scene.until("return location.pathname.endsWith('/new')").await;
    scene.tab_to("inv-email").await;
    scene.press("anna at home").await;
    scene.press(keys::ENTER).await;
    // After a mistake, the focus is on its field.
    scene.until("return document.activeElement.getAttribute('aria-invalid') === 'true'").await;
    assert_eq!(scene.value("#inv-email").await, "anna at home");
    scene.press(keys::SELECT_ALL).await;
    scene.press("anna@example.com").await;
    scene.tab_to("Create").await;
    scene.press(keys::ENTER).await;
    scene.until("return document.querySelector('.inv-reveal-code') !== null").await;
    scene.tab_to("Copy").await;
    scene.press(keys::ENTER).await;
    scene.until("return document.activeElement.textContent === 'Copied'").await;
    scene.tab_to("Done").await;
    scene.press(keys::ENTER).await;
    scene.until("return document.querySelectorAll('tbody tr').length === 1").await;
    scene.tab_to("inv-status").await;
    scene.press("Us").await;
    scene
        .until("return document.querySelector('.inv-empty h2')?.textContent === 'Nothing matches'")
        .await;
    scene.window.close().await;
}

#[tokio::test]
async fn without_scripts_everything_but_the_clipboard_works() {
    let scene = Scene::open(Look { scripts: false, ..Look::default() }).await;
    scene.sign_in("sales-manager").await;
    scene.click("Create Invitation").await;
    scene.find("#inv-email").await.send_keys("anna@example.com").await.unwrap();
    scene.click("Create").await;
    let code = scene.text(".inv-reveal-code").await;
    scene.host.redeem(&code, "anna").await; // refused: the address is not proved
    scene.click("Create another").await;
    scene.says("h1", &["Create Invitation"]).await;
    scene.click("Create").await;
    let open = scene.text(".inv-reveal-code").await;
    scene.click("Copy").await;
    scene.says("h1", &["Select the code and copy it"]).await;
    scene.says(".inv-reveal-code", &[&open]).await;
    scene.host.redeem(&open, "ben").await;
    scene.at("/invitations").await;
    scene.find("#inv-status").await.select_by_value("used").await.unwrap();
    scene.follow("Apply").await;
    scene.says("tbody td:nth-child(6)", &["ben"]).await;
    scene.follow("Clear filters").await;
    scene.says("tbody td:nth-child(6)", &["ben", "–"]).await;
    scene.find("#inv-search").await.send_keys("anna").await.unwrap();
    scene.follow("Apply").await;
    scene.says("tbody td:nth-child(2)", &["anna@example.com"]).await;
    scene.window.close().await;
}
