//! Times: in the viewer's zone with scripts, and in UTC without.

use invitation_core::{Criteria, Paging};
use invitation_testkit::Look;
use time::{OffsetDateTime, UtcOffset};

use crate::{host::person, scene::Scene};

/// Returns the expiry of the newest invitation.
async fn expiry(scene: &Scene) -> OffsetDateTime {
    let admin = person("admin").expect("an actor");
    let page = scene.host.service.list(&admin, &Criteria::new(), Paging::default()).await;
    page.expect("a page").items()[0].invitation().expires_at().into()
}

/// Returns the day and the clock time of an instant in a zone.
fn read(at: OffsetDateTime, offset: UtcOffset) -> (String, String) {
    let at = at.to_offset(offset);
    let month = at.month().to_string();
    let hour = match at.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    (format!("{} {}, {}", &month[..3], at.day(), at.year()), format!("{hour}:{:02}", at.minute()))
}

#[tokio::test]
async fn times_are_in_the_viewers_zone() {
    let scene = Scene::open(Look::default()).await;
    scene.host.fill(2).await;
    scene.window.time_zone("Asia/Kathmandu").await;
    scene.sign_in("admin").await;
    let at = expiry(&scene).await;
    let (day, clock) = read(at, UtcOffset::from_hms(5, 45, 0).expect("an offset"));
    let shown = format!(
        "const time = document.querySelector('time'); \
         return time.textContent.startsWith('{day}, {clock}') && time.title.endsWith(' UTC')"
    );
    scene.until(&shown).await;
    // The rows that a filter brings are written in the same way.
    scene.find("#inv-status").await.select_by_value("active").await.expect("an option");
    scene.until("return location.search === '?status=active'").await;
    scene.until(&shown).await;
    // Evidence names the zone.
    scene.at("/invitations/events").await;
    scene.until("return document.querySelector('time').textContent.includes('GMT+5:45')").await;
    scene.window.close().await;
}

#[tokio::test]
async fn list_shows_the_time_of_day_of_each_expiry_at_any_width() {
    for scripts in [true, false] {
        let mut scene = Scene::open(Look { scripts, ..Look::default() }).await;
        scene.host.fill(3).await;
        scene.sign_in("admin").await;
        for width in [360, 768, 1000, 1200, 1280, 1355, 1440, 1920] {
            scene.window.look(Look { size: (width, 800), scripts, ..Look::default() }).await;
            // `innerText` is what a viewer sees; `textContent` has hidden parts, too.
            let shown = "const times = [...document.querySelectorAll('tbody td:nth-child(5) time')];\
                return times.length === 3\
                  && times.every((time) => /\\d{4},\\s+\\d{1,2}:\\d\\d/.test(time.innerText))";
            scene.until(shown).await;
        }
        scene.window.close().await;
    }
}

#[tokio::test]
async fn times_are_in_utc_without_scripts() {
    let scene = Scene::open(Look { scripts: false, ..Look::default() }).await;
    scene.host.fill(1).await;
    scene.window.time_zone("Asia/Kathmandu").await;
    scene.sign_in("admin").await;
    let at = expiry(&scene).await;
    let month = at.month().to_string();
    let (day, year) = (at.day(), at.year());
    let (hour, minute) = (at.hour(), at.minute());
    let expected = format!("{day} {} {year}, {hour:02}:{minute:02} UTC", &month[..3]);
    let shown = scene.text("tbody time").await;
    assert!(shown.starts_with(&expected), "{shown} is not {expected}");
    scene.window.close().await;
}
