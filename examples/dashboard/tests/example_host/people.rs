//! Signing in, and the pages without JavaScript.

use reqwest::{Method, Response, StatusCode, header};
use serde_json::json;

use crate::host::{Host, Store, answer, read, text};

async fn send(host: &Host, path: &str, cookie: &str, form: &[(&str, &str)]) -> Response {
    let request = host.ask(Method::POST, path).header(header::COOKIE, cookie).form(form);
    request.send().await.expect("an answer")
}

fn set_cookie(response: &Response) -> &str {
    response.headers()[header::SET_COOKIE].to_str().expect("a cookie")
}

#[tokio::test]
async fn a_session_is_a_cookie_that_ends() {
    let store = Store::sqlite();
    let host = store.start().await;
    let begun = send(&host, "/login", "", &[("username", "sales-manager")]).await;
    assert_eq!(begun.status(), StatusCode::SEE_OTHER);
    let cookie = set_cookie(&begun).to_owned();
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let cookie = cookie.split(';').next().expect("the cookie").to_owned();
    let list = |cookie: &str| {
        let request = host.ask(Method::GET, "/api/invitations");
        answer(request.header(header::COOKIE, cookie.to_owned()))
    };
    assert_eq!(list(&cookie).await.status, 200);
    let home = host.ask(Method::GET, "/").header(header::COOKIE, &cookie).send().await;
    let home = home.expect("an answer").text().await.expect("a page");
    for part in ["sales-manager", "/invitations", "/api/invitations", "/openapi.json", "/register"]
    {
        assert!(home.contains(part), "{part} is missing: {home}");
    }

    // The dashboard accepts the session too, and redirects to the sign-in page without one.
    let dashboard = async |cookie: &str| {
        let request = host.ask(Method::GET, "/invitations").header(header::COOKIE, cookie);
        request.send().await.expect("an answer")
    };
    let page = dashboard(&cookie).await;
    assert_eq!(page.status(), 200);
    let page = page.text().await.expect("a page");
    for part in ["Invitation Codes", "jonas.weber", "maria.lopez@example.com", "/logout"] {
        assert!(page.contains(part), "{part} is missing: {page}");
    }
    let sent = dashboard("").await;
    assert_eq!(sent.status(), StatusCode::SEE_OTHER);
    let to = sent.headers()[header::LOCATION].to_str().expect("an address");
    assert!(to.starts_with("/login"), "{to}");

    // A guessed session is not accepted, and a token takes precedence over a session.
    for other in ["", "session=", "session=0123456789abcdef0123456789abcdef", "other=1"] {
        list(other).await.problem(401, "unauthenticated");
    }
    for token in ["Bearer demo-nobody", "Bearer admin", "Basic demo-admin", "demo-admin"] {
        let request = host.ask(Method::GET, "/api/invitations").header(header::COOKIE, &cookie);
        answer(request.header(header::AUTHORIZATION, token)).await.problem(401, "unauthenticated");
    }

    // A page of another site cannot sign a user in or out.
    for path in ["/login", "/logout"] {
        let request = host.ask(Method::POST, path).header(header::COOKIE, &cookie);
        let request = request.header("sec-fetch-site", "cross-site");
        answer(request.form(&[("username", "admin")])).await.problem(403, "forbidden");
    }
    let ended = send(&host, "/logout", &cookie, &[]).await;
    assert!(set_cookie(&ended).contains("Max-Age=0"), "{ended:?}");
    list(&cookie).await.problem(401, "unauthenticated");

    let unknown = send(&host, "/login", "", &[("username", "<b>nobody")]).await;
    assert_eq!(unknown.status(), 422);
    let page = unknown.text().await.expect("a page");
    assert!(page.contains("there is no user of this name") && !page.contains("<b>"), "{page}");
}

/// Signing in always creates a new session id. An id that an attacker has planted in the
/// browser gives no access, and the previous session has ended.
#[tokio::test]
async fn signing_in_begins_a_new_session() {
    let store = Store::sqlite();
    let host = store.start().await;
    let list = |cookie: String| {
        let request = host.ask(Method::GET, "/api/invitations");
        answer(request.header(header::COOKIE, cookie))
    };
    let begin = async |cookie: &str, name: &str| {
        let begun = send(&host, "/login", cookie, &[("username", name)]).await;
        assert_eq!(begun.status(), StatusCode::SEE_OTHER);
        set_cookie(&begun).split(';').next().expect("the cookie").to_owned()
    };
    let planted = "session=0123456789abcdef0123456789abcdef";
    let first = begin(planted, "sales-staff").await;
    assert_ne!(first, planted);
    list(planted.to_owned()).await.problem(401, "unauthenticated");
    let second = begin(&first, "admin").await;
    assert_ne!(second, first);
    assert_eq!(list(second.clone()).await.status, 200);
    list(first.clone()).await.problem(401, "unauthenticated");

    // A cookie that an attacker planted for some paths arrives beside the user's own.
    let of_others = begin("", "sales-manager").await;
    list(format!("{of_others}; {second}")).await.problem(401, "unauthenticated");
    let third = begin(&format!("{of_others}; {second}"), "admin").await;
    list(of_others).await.problem(401, "unauthenticated");
    list(second).await.problem(401, "unauthenticated");
    assert_eq!(list(third).await.status, 200);
}

/// On phones, fields for names, codes and addresses are neither capitalised nor corrected.
#[tokio::test]
async fn telephones_change_nothing_that_is_typed() {
    let store = Store::sqlite();
    let host = store.start().await;
    for (path, fields) in [
        ("/login", &["username"][..]),
        ("/register", &["code", "username", "email"]),
        ("/register/confirm", &["registration", "token"]),
    ] {
        let page = host.ask(Method::GET, path).send().await.expect("an answer");
        let page = page.text().await.expect("a page");
        for field in fields {
            let begin = page.find(&format!("<input id=\"{field}\"")).expect("the field");
            let input = page[begin..].split('>').next().expect("a tag");
            for attribute in
                ["autocapitalize=\"none\"", "autocorrect=\"off\"", "spellcheck=\"false\""]
            {
                assert!(input.contains(attribute), "{path}: {input}");
            }
        }
    }
}

#[tokio::test]
async fn the_pages_work_without_javascript() {
    let store = Store::sqlite();
    let host = store.start().await;
    let page = host.ask(Method::GET, "/register").send().await.expect("an answer");
    let policy = text(&json!(page.headers()["content-security-policy"].to_str().expect("text")));
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.headers()["cache-control"], "no-store");
    assert_eq!(page.headers()["referrer-policy"], "same-origin");
    let cookie = set_cookie(&page).split(';').next().expect("the cookie").to_owned();
    let post = async |path: &str, form: &[(&str, &str)]| {
        let answer = send(&host, path, &cookie, form).await;
        (answer.status().as_u16(), answer.text().await.expect("a page"))
    };

    let code = host.code().await;
    let fields = [("code", &*code), ("username", "admin"), ("email", "")];
    let (status, page) = post("/register", &fields).await;
    assert_eq!(status, 409);
    assert!(page.contains("id=\"username-error\"") && page.contains(&code), "nothing is lost");
    let fields = [("code", &*code), ("username", "<i>nora</i>"), ("email", "")];
    let (status, page) = post("/register", &fields).await;
    assert_eq!(status, 201, "{page}");
    assert!(page.contains("Welcome") && !page.contains("<i>"), "{page}");
    // The button is clicked twice.
    assert_eq!(post("/register", &fields).await.0, 201);
    // A user with the same code on another machine is a different person.
    let other = send(&host, "/register", "newcomer=another", &fields).await;
    assert_eq!(other.status(), 410);

    let bound = host.invite(json!({"email": "nina@example.com"})).await;
    let code = text(&bound["code"]);
    let (status, page) = post("/register", &[("code", &code), ("username", "nina")]).await;
    assert_eq!(status, 403);
    assert!(page.contains("id=\"email-error\"") && !page.contains("nina@"), "{page}");
    let fields = [("code", &*code), ("username", "nina"), ("email", "nina@example.com")];
    let (status, page) = post("/register", &fields).await;
    assert_eq!(status, 202, "{page}");
    let mail = &host.mails("nina@example.com").await[0];
    let (registration, token) = (text(&mail["registration"]), text(&mail["token"]));
    assert!(page.contains(&registration) && !page.contains(&token), "{page}");
    let fields = [("registration", &*registration), ("token", "wrong")];
    assert_eq!(post("/register/confirm", &fields).await.0, 403);
    let fields = [("registration", &*registration), ("token", &*token)];
    assert_eq!(post("/register/confirm", &fields).await.0, 201);

    for path in ["/", "/login", "/register/confirm", "/assets/demo.css", "/assets/register.js"] {
        assert_eq!(host.ask(Method::GET, path).send().await.expect("an answer").status(), 200);
    }
    let long = "x".repeat(2_000_000);
    read(send(&host, "/register", "", &[("code", &long)]).await).await.problem(413, "too-large");
    let spec = answer(host.ask(Method::GET, "/openapi.json")).await;
    assert!(spec.json()["paths"]["/api/invitations"].is_object(), "{:?}", spec.status);
}
