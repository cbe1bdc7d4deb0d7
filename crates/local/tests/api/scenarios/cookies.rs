//! `TOKEN_DELIVERY=cookie`: what a page of an allowed origin gets, and what one of another site does not.

use serde_json::{Value, json};

use super::world::{ORIGINS, World, address, error_code};
use crate::support::PASSWORD;
use crate::support::http::{Call, Reply};

#[tokio::test(flavor = "multi_thread")]
async fn the_refresh_token_is_in_the_cookie_alone_and_is_rotated_there() {
    let world = World::open_with_cookies().await;
    let first = Held::of(&sign_up(&world).await);
    let second = Held::of(&with(&world, "/auth/refresh", &first).send().await.expect(200));
    let again = Held::of(&with(&world, "/auth/refresh", &first).send().await.expect(200));
    assert_ne!(second.token, first.token);
    assert_eq!(again.token, second.token, "a second tab gets the same successor");
    world.me(&second.access).await.expect(200);
    Held::of(&with(&world, "/auth/refresh", &second).send().await.expect(200));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_cannot_use_the_cookie() {
    let world = World::open_with_cookies().await;
    let held = Held::of(&sign_up(&world).await);
    for path in ["/auth/refresh", "/auth/logout"] {
        for header in
            [None, Some(("origin", "https://evil.example.com")), Some(("sec-fetch-site", "cross-site"))]
        {
            let call = world.call("POST", path).header("cookie", &held.cookie());
            let call = match header {
                Some((name, value)) => call.header(name, value),
                None => call,
            };
            let reply = call.send().await.expect(403);
            assert_eq!((error_code(&reply).as_str(), reply.cookies().len()), ("forbidden", 0), "{header:?}");
        }
    }
    world.me(&held.access).await.expect(200);
    with(&world, "/auth/refresh", &held).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_takes_the_cookie_away_as_it_was_set() {
    let world = World::open_with_cookies().await;
    let held = Held::of(&sign_up(&world).await);
    let gone = with(&world, "/auth/logout", &held).send().await.expect(204);
    let (value, mut attributes) = cookie(&gone);
    assert_eq!(value, "");
    for attribute in &held.attributes {
        let expected = if attribute.starts_with("Max-Age=") { "Max-Age=0" } else { attribute };
        let found = attributes.iter().position(|attribute| attribute == expected);
        attributes.remove(found.expect("the same attributes"));
    }
    assert_eq!(attributes, Vec::<String>::new());
    world.me(&held.access).await.expect(401);
    let refused = with(&world, "/auth/refresh", &held).send().await.expect(401);
    assert_eq!(error_code(&refused), "invalid_grant");
}

/// A page that sends cookies may read only what says so, the gateway's own errors among it.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_may_read_answers_to_requests_with_cookies() {
    let world = World::open_with_cookies().await;
    for origin in ORIGINS {
        let call = |method: &str, path: &str| world.call(method, path).header("origin", origin);
        let preflight = call("OPTIONS", "/auth/refresh").header("access-control-request-method", "POST");
        let replies = [
            preflight.send().await.expect(200),
            call("POST", "/auth/refresh").send().await.expect(401),
            call("GET", "/auth/me").send().await.expect(401),
            call("GET", "/auth/me").bearer("x").send().await.expect(401),
            call("GET", "/nothing").send().await.expect(404),
        ];
        for reply in replies {
            assert_eq!(reply.header("access-control-allow-credentials"), "true", "{}", reply.body);
            assert_eq!(reply.header("access-control-allow-origin"), origin, "{}", reply.body);
        }
    }
}

/// What a browser holds after a login.
struct Held {
    access: String,
    token: String,
    attributes: Vec<String>,
}

impl Held {
    /// From an answer with tokens, which says the refresh token in its cookie and nowhere else.
    #[track_caller]
    fn of(reply: &Reply) -> Self {
        let (token, attributes) = cookie(reply);
        assert_eq!(token.split('.').count(), 3, "{token}");
        assert!(!reply.body.to_string().contains(&token) && reply.body["refreshToken"] == Value::Null);
        for attribute in ["HttpOnly", "Max-Age=2592000", "SameSite=Strict", "Secure"] {
            assert!(attributes.contains(&attribute.to_owned()), "{attributes:?}");
        }
        // Below the stage, where the gateway's own URL is called.
        let path = attributes.iter().find_map(|attribute| attribute.strip_prefix("Path="));
        assert!(path.is_some_and(|path| path == "/auth" || path == "/PROD/auth"), "{attributes:?}");
        Self { access: reply.body["accessToken"].as_str().expect("a token").to_owned(), token, attributes }
    }

    fn cookie(&self) -> String {
        format!("__Secure-refresh_token={}", self.token)
    }
}

/// The value and the attributes of the one cookie that a reply sets.
#[track_caller]
fn cookie(reply: &Reply) -> (String, Vec<String>) {
    let cookies = reply.cookies();
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    let mut parts = cookies[0].split("; ").map(str::to_owned);
    let value = parts.next().expect("a value");
    let value = value.strip_prefix("__Secure-refresh_token=").expect("our cookie").to_owned();
    (value, parts.collect())
}

async fn sign_up(world: &World) -> Reply {
    let body = json!({"email": address(), "password": PASSWORD});
    world.call("POST", "/auth/signup").header("origin", ORIGINS[0]).json(&body).send().await.expect(201)
}

/// A request of a page of an allowed origin, with the cookie.
fn with<'a>(world: &'a World, path: &str, held: &Held) -> Call<'a> {
    world.call("POST", path).header("origin", ORIGINS[0]).header("cookie", &held.cookie())
}
