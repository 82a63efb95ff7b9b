//! Pages and forms: the view of each role, the refusals, and typed values, which must not
//! be lost.

use axum::{body::Body, http::Method};
use invitation_axum::{Dashboard, Page, Strings};
use invitation_core::{
    Action, Division, Draft, EventCriteria, IfVersion, InvitationId, Paging, Right, Role, Status,
    SystemActor, Timestamp,
};
use serde_json::json;

use crate::support::{Harness, MOUNT, person};

const COLUMNS: [&str; 7] = ["Code", "Email", "Role", "Status", "Expires", "Used By", "Actions"];

#[tokio::test]
async fn the_list_is_the_screen_of_the_contract() {
    let harness = Harness::dashboard();
    let code = harness.invite().await.code().reveal();
    let page = harness.get("sales-manager", "").await.is(200);
    let mut rest = page.text();
    for column in COLUMNS {
        let heading = format!("role=\"columnheader\">{column}</th>");
        let at = rest.find(&heading).unwrap_or_else(|| panic!("{column} is not where it belongs"));
        rest = &rest[at + heading.len()..];
    }
    let first = code.split('-').next().unwrap();
    let page = page.says("<h1>Invitation Codes</h1>").says("Create Invitation</button>");
    let page = page.says(">Filter Status</label>").says(">Search</label>");
    let page = page.says(&format!("{first}-<wbr>")).says(">Copy</button>");
    for word in ["<details", "Edit", "Revoke", "Delete", "Import", "Audit trail", "revoked"] {
        assert!(!page.text().contains(word), "a manager is offered {word}");
    }
    let page = harness.get("admin", "/").await.is(200);
    for word in ["Edit", "Revoke", "Delete", "Import", "Audit trail", "Revoked", "Filter Division"]
    {
        assert!(page.text().contains(word), "an administrator is not offered {word}");
    }
}

#[tokio::test]
async fn menu_and_trail_show_the_name_beside_the_id() {
    let harness = Harness::dashboard();
    let created = harness.create("operations-manager", &json!({})).await;
    let job = SystemActor::new("reminder").unwrap();
    let draft = Draft::new().with_role(Role::new("staff").unwrap());
    let draft = draft.in_division(Division::new("sales").unwrap());
    harness.service().create(&job, draft).await.unwrap();
    let menu = harness.get("operations-manager", "").await.is(200);
    menu.says("<bdi>Olga Meier</bdi></strong> <span class=\"inv-minor\"><bdi>operations-manager<");
    harness.get("sales-manager", "").await.is(200).says("<bdi>sales-manager</bdi></strong></p>");
    let trail = harness.get("admin", "/events").await.is(200);
    let trail = trail.says("<bdi>Olga Meier</bdi></span> <span class=\"inv-minor\"><bdi>Manager<");
    let trail = trail.says("<span class=\"inv-minor\"><bdi>operations-manager</bdi></span>");
    trail.says("<bdi>reminder</bdi></span> <span class=\"inv-minor\"><bdi>The system<");
    // The invitation keeps the name of its inviter.
    let path = format!("/{}", created["id"].as_str().unwrap());
    for visitor in ["admin", "operations-manager"] {
        let page = harness.get(visitor, &path).await.is(200);
        page.says("Olga Meier, operations-manager (Manager)");
    }
}

#[tokio::test]
async fn a_request_without_a_session_is_sent_to_sign_in() {
    let harness = Harness::dashboard();
    for path in ["", "/new", "/events", "/nowhere"] {
        harness.get("", path).await.is(401).says("Please sign in");
    }
    harness.post_form("", "/new", &[]).await.is(401);
    let harness = Harness::dashboard().with_dashboard(Dashboard::new().with_sign_in("/login"));
    assert_eq!(harness.get("", "").await.leads_to(), "/login");
    assert_eq!(harness.post_form("", "/new", &[]).await.leads_to(), "/login");
}

#[tokio::test]
async fn staff_and_managers_are_refused_what_is_not_theirs() {
    let harness = Harness::dashboard();
    let id = harness.invite().await.invitation().id();
    for path in ["", "/new", "/events"] {
        harness.get("sales-staff", path).await.is(403).says("This is not for your role");
    }
    harness.post_form("sales-staff", &format!("/{id}/copy"), &[]).await.is(403);
    let version = [("version", "1")];
    for word in ["edit", "revoke", "reinstate", "rotate", "delete"] {
        let path = format!("/{id}/{word}");
        harness.get("sales-manager", &path).await.is(403);
        harness.post_form("sales-manager", &path, &version).await.is(403);
    }
    harness.get("sales-manager", "/events").await.is(403);
    harness.post_form("sales-manager", "/new", &[("role", "admin")]).await.is(403);
    harness.post_form("sales-manager", "/new", &[("division", "operations")]).await.is(403);
    let admin = person("admin").unwrap();
    let view = harness.service().get(&admin, id).await.unwrap();
    assert_eq!((view.invitation().version(), view.status()), (1, Status::Active));
}

#[tokio::test]
async fn another_divisions_invitation_reads_like_none() {
    let harness = Harness::dashboard();
    let there = harness.invite().await.invitation().id();
    let nowhere = InvitationId::from_bytes([7; 16]);
    let foreign = harness.get("operations-manager", &format!("/{there}")).await.is(404);
    let missing = harness.get("operations-manager", &format!("/{nowhere}")).await.is(404);
    assert_eq!(foreign.text(), missing.text());
    let foreign =
        harness.post_form("operations-manager", &format!("/{there}/copy"), &[]).await.is(404);
    let missing =
        harness.post_form("operations-manager", &format!("/{nowhere}/copy"), &[]).await.is(404);
    assert_eq!(foreign.text(), missing.text());
    harness.get("operations-manager", "/not-an-id").await.is(404);
}

#[tokio::test]
async fn mistakes_stand_beside_their_fields_and_lose_nothing() {
    let harness = Harness::dashboard();
    let typed = [("email", "anna at home"), ("expires_in_days", "soon"), ("key", "k-1")];
    let page = harness.post_form("sales-manager", "/new", &typed).await.is(422);
    page.says("value=\"anna at home\"")
        .says("value=\"soon\"")
        .says("aria-describedby=\"inv-email-hint inv-email-error\" aria-invalid=\"true\" autofocus")
        .says("id=\"inv-expires_in_days-error\">Must be a whole number");
    let page =
        harness.post_form("sales-manager", "/new", &[("expires_in_days", "900")]).await.is(422);
    page.says("value=\"900\"").says("id=\"inv-expires_in_days-error\"");
    let page = harness.post_form("admin", "/new", &[("email", "a@example.com")]).await.is(422);
    page.says("id=\"inv-role-error\"").says("id=\"inv-division-error\"").says("a@example.com");
    let page = harness.get("sales-manager", "?search=%40").await.is(422);
    page.says("id=\"inv-search-error\"").says("value=\"@\"");
}

#[tokio::test]
async fn a_form_whose_key_cannot_be_read_creates_nothing() {
    let harness = Harness::dashboard();
    let long = "k".repeat(1_000);
    for key in ["k\u{e9}y", "a\u{7f}", &long] {
        let form = [("email", "anna@example.com"), ("key", key)];
        harness.post_form("sales-manager", "/new", &form).await.is(400);
    }
    let page = harness.get("sales-manager", "").await.is(200);
    assert!(!page.text().contains("anna@example.com"), "{}", page.text());
}

#[tokio::test]
async fn a_form_that_is_sent_twice_creates_once() {
    let harness = Harness::dashboard();
    let form = [("email", "anna@example.com"), ("expires_in_days", "7"), ("key", "once")];
    harness
        .post_form("sales-manager", "/new", &form)
        .await
        .is(201)
        .says("The invitation was created");
    harness
        .post_form("sales-manager", "/new", &form)
        .await
        .is(200)
        .says("has created this invitation");
    let other = [("email", "ben@example.com"), ("key", "once")];
    let page = harness.post_form("sales-manager", "/new", &other).await.is(409);
    page.says("ben@example.com").says("Send it once more").says_nothing_of("value=\"once\"");
    let list = harness.get("sales-manager", "").await.is(200).says("anna@example.com");
    list.says("1 code<").says_nothing_of("ben@example.com");
}

#[tokio::test]
async fn forms_of_any_shape_are_no_error_of_the_server() {
    let harness = Harness::dashboard();
    let id = harness.invite().await.invitation().id();
    let many = "a=1&".repeat(101);
    let long = format!("email={}", "x".repeat(900_000));
    for path in ["/new", "/search", "/events", &format!("/{id}/edit"), &format!("/{id}/revoke")] {
        for (body, malformed) in [
            ("email=%ff&actor=%ff&search=%ff&version=%ff", true),
            (&*many, true),
            ("", false),
            ("&&&===", false),
            ("%00=%00&email=%00&search=%00&actor=%00&division=%00&version=1", false),
            ("version=1&version=2&search=a&search=b&email=a&email=b", false),
            ("version=-1&limit=-1&cursor=%25&back=%25&status=%25", false),
            (&long, false),
        ] {
            let request = crate::support::request(Method::POST, "admin", path)
                .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
                .body(Body::from(body.to_owned()))
                .unwrap();
            let status = harness.send(request).await.status.as_u16();
            assert!(status < 500, "{path} {body:.60}: {status}");
            assert!(!malformed || status == 400, "{path} {body:.60}: {status}");
        }
    }
    for query in ["?search=%ff&limit=%ff", "?a&a&a", "?%", "?%00=%00", "?search=%00", "?done=%ff"] {
        for path in ["", "/events", "/new", &format!("/{id}")] {
            let status = harness.get("admin", &format!("{path}{query}")).await.status.as_u16();
            assert!(status < 500, "{path}{query}: {status}");
        }
    }
}

#[tokio::test]
async fn copying_writes_its_event_whether_by_script_or_by_hand() {
    let harness = Harness::dashboard();
    let created = harness.invite().await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    harness
        .post_form("sales-manager", &format!("/{id}/copy"), &[])
        .await
        .is(200)
        .says("Select the code");
    let request =
        crate::support::request(axum::http::Method::POST, "sales-manager", &format!("/{id}/copy"))
            .header("accept", "application/json");
    let answer = harness.send(request.body(axum::body::Body::empty()).unwrap()).await.is(200);
    assert_eq!(answer.text(), format!("{{\"code\":\"{}\"}}", code.as_str()));
    let criteria = EventCriteria::new().of_action(Action::Copy);
    let admin = person("admin").unwrap();
    let events = harness.service().events(&admin, &criteria, Paging::default()).await.unwrap();
    assert_eq!(events.items().len(), 2);
}

#[tokio::test]
async fn an_administrator_edits_revokes_reinstates_rotates_and_deletes() {
    let harness = Harness::dashboard();
    let created = harness.invite().await;
    let (id, old) = (created.invitation().id(), created.code().reveal());
    let at = |word: &str| format!("/{id}/{word}");
    harness.get("admin", &at("edit")).await.is(200).says("name=\"version\" value=\"1\"");
    let edit = [("version", "1"), ("email", "anna@example.com"), ("role", "manager")];
    let answer = harness.post_form("admin", &at("edit"), &edit).await;
    assert_eq!(answer.leads_to(), format!("{MOUNT}/{id}?done=saved"));
    let stale = [("version", "1"), ("email", "ben@example.com"), ("role", "manager")];
    let page = harness.post_form("admin", &at("edit"), &stale).await.is(412);
    page.says("Somebody has changed this invitation").says("name=\"version\" value=\"2\"");

    let long = "x".repeat(501);
    let revoke = [("version", "2"), ("reason", &*long)];
    harness
        .post_form("admin", &at("revoke"), &revoke)
        .await
        .is(422)
        .says("inv-reason-error")
        .says(&long);
    let revoke = [("version", "2"), ("reason", "Not\r\ncoming")];
    harness.post_form("admin", &at("revoke"), &revoke).await.leads_to();
    harness.get("admin", &format!("/{id}?done=revoked")).await.is(200).says("Not\ncoming");
    harness.get("admin", &at("revoke")).await.is(409).says("not possible any more");
    harness.post_form("admin", &at("reinstate"), &[("version", "3")]).await.leads_to();
    let page = harness.post_form("admin", &at("rotate"), &[("version", "4")]).await.is(200);
    page.says("has a new code").says_nothing_of(old.split_once('-').unwrap().1);
    harness.post_form("admin", &at("rotate"), &[("version", "4")]).await.is(412);
    let answer = harness.post_form("admin", &at("delete"), &[("version", "5")]).await;
    assert_eq!(answer.leads_to(), format!("{MOUNT}?done=deleted"));
    harness.get("admin", &format!("/{id}")).await.is(404);
    harness.get("admin", "/events").await.is(200).says(">Delete</td>").says(">Reinstate</td>");
}

#[tokio::test]
async fn the_trail_shows_every_time_as_people_read_it() {
    let start = Timestamp::from_micros(1_795_892_712_345_678).unwrap();
    let harness = Harness::dashboard();
    harness.clock.set(start);
    let id = harness.invite().await.invitation().id();
    let page = harness.get("admin", &format!("/events?invitation={id}")).await.is(200);
    let at = "<time datetime=\"2026-11-28T19:05:12.345678Z\">";
    let page = page.says(at).says(">28 Nov 2026, 19:05:12 UTC<");
    // The expiry in the event's detail has the same form.
    let at = "<time datetime=\"2026-12-05T19:05:12.345678Z\">";
    let page = page.says(at).says(">5 Dec 2026, 19:05:12 UTC<");
    page.says_nothing_of("> 2026-").says_nothing_of(">2026-");
}

#[tokio::test]
async fn trail_links_each_event_to_the_events_of_its_request() {
    let harness = Harness::dashboard();
    let refused = harness.get("sales-staff", "").await;
    let id = refused.header("x-request-id").to_owned();
    harness.get("sales-staff", "").await;
    let trail = harness.get("admin", "/events").await.is(200);
    let link = format!("{MOUNT}/events?correlation_id={id}");
    trail.says(&format!("<a href=\"{link}\"><bdi>{id}</bdi></a>")).says("2 events");
    let of_request = harness.get("admin", &format!("/events?correlation_id={id}")).await.is(200);
    of_request.says("1 event").says(&format!("value=\"{id}\""));
    let form = [("correlation_id", id.as_str())];
    assert_eq!(harness.post_form("admin", "/events", &form).await.leads_to(), link);
}

#[tokio::test]
async fn pages_lead_forwards_and_back() {
    let harness = Harness::dashboard();
    for _ in 0..5 {
        harness.invite().await;
    }
    let link = |page: &str, rel: &str| {
        let at = page.find(&format!("rel=\"{rel}\" href=\""))?;
        let rest = &page[at..];
        let href = rest.split("href=\"").nth(1)?.split('"').next()?;
        Some(href.replace("&#38;", "&").replace("&amp;", "&").strip_prefix(MOUNT)?.to_owned())
    };
    let mut path = "?limit=2".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = harness.get("admin", &path).await.is(200);
        seen.push((path.clone(), page.text().matches("<tr role=\"row\">").count() - 1));
        let Some(next) = link(page.text(), "next") else { break };
        path = next;
    }
    let rows: Vec<_> = seen.iter().map(|(_, rows)| *rows).collect();
    assert_eq!(rows, [2, 2, 1]);
    let last = harness.get("admin", &path).await;
    let second = harness.get("admin", &link(last.text(), "prev").unwrap()).await.is(200);
    let first = link(second.text(), "prev").unwrap();
    assert_eq!(first, "?limit=2");
    // A forged trail leads to the first page.
    let cursor = path.split("cursor=").nth(1).unwrap().split('&').next().unwrap();
    let forged = format!("?limit=2&cursor={cursor}&back=%22%3E%3Cscript%3E");
    harness.get("admin", &forged).await.is(200).says("First page").says_nothing_of("<script>");
}

#[tokio::test]
async fn a_host_renames_translates_and_frames() {
    let mut texts = Strings::english();
    texts.menu_entry = "Einladungen".into();
    texts.heading = "Einladungscodes".into();
    let harness = Harness::dashboard()
        .with_dashboard(Dashboard::new().with_strings(texts).with_brand("Perfect<10>"));
    let page = harness.get("sales-manager", "").await.is(200);
    page.says(">Einladungen</a>").says("<h1>Einladungscodes</h1>").says("Perfect&#60;10&#62;");

    let sheet = Dashboard::new().with_style_sheet("/theme.css?a=1&b=2");
    let page = Harness::dashboard().with_dashboard(sheet).get("sales-manager", "").await.is(200);
    page.says("<link rel=\"stylesheet\" href=\"/theme.css?a=1&#38;b=2\">");
}

#[tokio::test]
async fn a_layout_of_the_host_gets_escaped_texts() {
    let mut texts = Strings::english();
    texts.heading = "Codes & more".into();
    texts.menu_entry = "Invite <us>".into();
    let layout = |page: &Page<'_>| {
        let menu = page.menu();
        let [entry] = &menu[..] else { panic!("{menu:?}") };
        format!(
            "[{}|{}|{}|{}|{}|{}|{}|{:?}]{}",
            page.language(),
            page.title(),
            page.brand(),
            entry.group(),
            entry.label(),
            entry.href(),
            entry.is_current(),
            page.signed_in_as().map(|name| name.to_string()),
            page.content(),
        )
    };
    let dashboard = Dashboard::new()
        .with_strings(texts)
        .with_brand("Perfect<10>")
        .with_layout(layout)
        .with_mount_point("/outside");
    let harness = Harness::dashboard().with_dashboard(dashboard);
    let page = harness.get("sales-manager", "").await.is(200);
    let beginning = "[en|Codes &#38; more|Perfect&#60;10&#62;|Users|Invite &#60;us&#62;|/outside|true|\
        Some(\"sales-manager\")]";
    assert!(page.text().starts_with(beginning), "{}", page.text());
    page.says("action=\"/outside/search\"");
    let page = harness.get("sales-manager", "/new").await.is(200);
    page.says("|/outside|false|");
    let page = harness.get("", "").await.is(401);
    page.says("|None]");
}

#[tokio::test]
async fn what_may_be_done_comes_from_the_policy() {
    use invitation_core::{Policy, Rights};

    let harness = Harness::dashboard();
    let id = harness.invite().await.invitation().id();
    let manager = Role::new("manager").unwrap();
    let policy = Policy::default()
        .with_role(manager, Rights::none().may([Right::View, Right::Copy, Right::Revoke]));
    let harness = harness.with_service(|service| service.with_policy(policy));
    let page = harness.get("sales-manager", "").await.is(200);
    page.says(">Revoke</a>").says(">Revoked</option>").says_nothing_of("Create Invitation");
    harness
        .post_form("sales-manager", &format!("/{id}/revoke"), &[("version", "1")])
        .await
        .leads_to();
    let admin = person("admin").unwrap();
    harness.service().reinstate(&admin, id, IfVersion::Any).await.unwrap();
}
