//! What is said at the start: where it listens, what it answers, where the data is, and what to type first.

use std::fmt::Write as _;

use crate::api::{Api, ApiKind};
use crate::stack::{Data, Stack};

/// The text for a stack that has started. `demo` makes the demonstration's user unique.
pub fn text(stack: &Stack, demo: &str) -> String {
    let mut text = format!("Latchkey on {}\n\n", stack.url());
    // Writing to a `String` cannot fail, here and below.
    if let Some(page) = stack.demo() {
        let _ = writeln!(text, "Demo on {page}\n");
    }
    let base = stack.url();
    let base = base.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default();
    text.push_str(&rows(stack.api(), &base));
    for neighbour in stack.neighbours() {
        let _ = writeln!(text, "\n{} on {}\n", neighbour.name(), neighbour.url());
        text.push_str(&rows(neighbour.api(), ""));
    }
    let _ = writeln!(text, "\nDescribed at {}.", stack.description_url());
    let data = match stack.data() {
        Data::Memory => "in memory, gone when this ends".to_owned(),
        Data::File(file) => format!("in {}", file.display()),
        Data::Endpoint { url, .. } => format!("at {url}"),
    };
    let _ = writeln!(text, "\nData {data}. For an operator, while this runs:");
    let _ = writeln!(text, "  cargo operator --endpoint {} --help", stack.store_endpoint());
    if stack.engine().is_some() && !stack.table().ip().is_loopback() {
        let _ = writeln!(text, "Whoever reaches the table on {} can read and write it.", stack.table());
    }
    if !stack.overridden().is_empty() {
        let names: Vec<_> = stack.overridden().iter().map(String::as_str).collect();
        let _ = writeln!(text, "From the environment: {}.", names.join(", "));
    }
    let _ = write!(text, "\nTry:\n\n{}\n", commands(stack, demo));
    text
}

/// The routes of `api`, whose paths begin with `base`.
fn rows(api: &Api, base: &str) -> String {
    let mut rows: Vec<[String; 4]> = Vec::new();
    for route in &api.routes {
        // A preflight goes wherever its path goes.
        if route.method != "OPTIONS" {
            let guard = if route.authorizer.is_some() { "protected" } else { "public" };
            let path = format!("{base}{}", route.path);
            rows.push([path, route.method.clone(), route.function.clone(), guard.to_owned()]);
        }
    }
    rows.sort();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or_default()
    };
    let (paths, methods, functions) = (width(0), width(1), width(2));
    let mut text = String::new();
    for [path, method, function, guard] in &rows {
        let _ = writeln!(text, "  {method:methods$}  {path:paths$}  {function:functions$}  {guard}");
    }
    text
}

/// Three commands that work when they are pasted one after the other, and one for each API beside the service.
fn commands(stack: &Stack, demo: &str) -> String {
    let url = stack.url();
    let snake = matches!(stack.setting("RESPONSE_FORMAT"), Some("snake" | "authorization"));
    let (access, refresh) =
        if snake { ("access_token", "refresh_token") } else { ("accessToken", "refreshToken") };
    let member = |name: &str| format!(r#"$(echo "$ANSWER" | sed -n 's/.*"{name}":"\([^"]*\)".*/\1/p')"#);
    // With cookie delivery, signup and login want an allowed origin.
    let origins = stack.setting("CORS_ALLOWED_ORIGINS").unwrap_or_default();
    let json = match origins.split(',').map(str::trim).find(|origin| origin.starts_with("http")) {
        Some(origin) => format!("-H 'content-type: application/json' -H 'origin: {origin}'"),
        None => "-H 'content-type: application/json'".to_owned(),
    };
    let user = format!(r#"{{"email":"demo-{demo}@example.com","password":"Lantern-Quartz-{demo}-Meadow"}}"#);
    let signup = format!(
        "  ANSWER=$(curl -sS {url}/auth/signup {json} -d '{user}'); echo \"$ANSWER\"; TOKEN={}",
        member(access)
    );
    let me = format!("  curl -sS {url}/auth/me -H \"authorization: Bearer $TOKEN\"");
    let third = if stack.setting("TOKEN_DELIVERY") == Some("cookie") {
        format!("  curl -sS {url}/auth/sessions -H \"authorization: Bearer $TOKEN\"")
    } else {
        let body = format!(r#"{{\"refresh_token\":\"{}\"}}"#, member(refresh));
        format!("  curl -sS {url}/auth/refresh {json} -d \"{body}\"")
    };
    let called = stack.neighbours().iter().filter(|neighbour| neighbour.api().kind != ApiKind::WebSocket);
    let beside = called.filter_map(|neighbour| {
        let route = neighbour.api().routes.iter().find(|route| route.method == "GET")?;
        Some(format!(r#"  curl -sS {}{} -H "authorization: Bearer $TOKEN""#, neighbour.url(), route.path))
    });
    [signup, me, third].into_iter().chain(beside).collect::<Vec<_>>().join("\n")
}
