//! One deployment, one spelling: the same data in four of them.

use serde_json::{Value, json};

use crate::support::{NEW_PASSWORD, PASSWORD, Service};

const FORMATS: [&str; 4] = ["camel", "snake", "envelope", "authorization"];

/// The body with every value that differs from run to run replaced by its type.
fn shape(mut body: Value) -> Value {
    fn walk(name: &str, value: &mut Value) {
        match value {
            Value::Object(members) => members.iter_mut().for_each(|(name, value)| walk(name, value)),
            Value::Array(values) => values.iter_mut().for_each(|value| walk(name, value)),
            Value::String(text) => {
                let fixed = [
                    "tokenType",
                    "token_type",
                    "email",
                    "error",
                    "code",
                    "errorDescription",
                    "error_description",
                    "message",
                ];
                if !fixed.contains(&name) {
                    "…".clone_into(text);
                }
            }
            Value::Number(number) if number.as_u64() > Some(1_000_000) => *value = json!("seconds"),
            _ => {}
        }
    }
    walk("", &mut body);
    body
}

async fn start(format: &str) -> Service {
    Service::start(&[("RESPONSE_FORMAT", format)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_answer_has_the_members_of_its_format() {
    let camel = json!({"userId": "…", "email": "ada@example.com", "displayName": null, "firstName": null, "lastName": null, "emailVerified": false});
    let snake = json!({"id": "…", "email": "ada@example.com", "display_name": null, "first_name": null, "last_name": null, "email_verified": false});
    let expected = [
        json!({"accessToken": "…", "refreshToken": "…", "tokenType": "Bearer", "expiresIn": 3600, "expiresAt": "seconds", "user": camel}),
        json!({"access_token": "…", "refresh_token": "…", "token_type": "Bearer", "expires_in": 3600, "expires_at": "seconds", "user_id": "…", "user": snake}),
        json!({"success": true, "data": {"user": camel, "accessToken": "…", "refreshToken": "…", "tokenType": "Bearer", "expiresIn": 3600, "expiresAt": "seconds"}}),
        json!({"success": true, "data": {"authorization": {"access_token": "…", "refresh_token": "…", "token_type": "Bearer", "expires_in": 3600}, "user": snake}}),
    ];
    for (format, expected) in FORMATS.iter().zip(expected) {
        let service = start(format).await;
        let signup = service.try_signup("ada@example.com").await.expect(201);
        let login = service.try_login("ada@example.com", PASSWORD).await.expect(200);
        let token =
            find(&login.body, &["refreshToken", "refresh_token"]).as_str().expect("a token").to_owned();
        let refresh = service.refresh(&token).await.expect(200);
        for reply in [signup, login, refresh] {
            assert_eq!(shape(reply.body), expected, "{format}");
        }
    }
}

/// The first member of one of these names, however deep.
fn find<'a>(value: &'a Value, names: &[&str]) -> &'a Value {
    let Value::Object(members) = value else { return &Value::Null };
    names.iter().find_map(|name| members.get(*name)).unwrap_or_else(|| {
        members
            .values()
            .map(|value| find(value, names))
            .find(|found| !found.is_null())
            .unwrap_or(&Value::Null)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn users_sessions_and_counts_are_spelt_alike() {
    let camel = json!({"userId": "…", "email": "ada@example.com", "displayName": null, "firstName": null, "lastName": null, "emailVerified": false});
    let snake = json!({"id": "…", "email": "ada@example.com", "display_name": null, "first_name": null, "last_name": null, "email_verified": false});
    let camel_session = json!([{"sessionId": "…", "createdAt": "seconds", "lastUsedAt": "seconds", "expiresAt": "seconds", "ip": "…", "userAgent": "…", "lastReplay": null, "current": true}]);
    let snake_session = json!([{"session_id": "…", "created_at": "seconds", "last_used_at": "seconds", "expires_at": "seconds", "ip": "…", "user_agent": "…", "last_replay": null, "current": true}]);
    for format in FORMATS {
        let service = start(format).await;
        let signup = service.try_signup("ada@example.com").await.expect(201);
        let access =
            find(&signup.body, &["accessToken", "access_token"]).as_str().expect("a token").to_owned();
        let data = |body: Value| {
            let body = shape(body);
            match format {
                "camel" | "snake" => body,
                _ => {
                    assert_eq!(body["success"], true);
                    body["data"].clone()
                }
            }
        };
        let is_snake = matches!(format, "snake" | "authorization");
        let me = service.me(&access).await.expect(200);
        assert_eq!(data(me.body), json!({"user": if is_snake { &snake } else { &camel }}), "{format}");
        let sessions = service.call("GET", "/auth/sessions").bearer(&access).send().await.expect(200);
        let expected = json!({"sessions": if is_snake { &snake_session } else { &camel_session }});
        assert_eq!(data(sessions.body), expected, "{format}");
        service.try_login("ada@example.com", PASSWORD).await.expect(200);
        let name = if is_snake { "revoked_sessions" } else { "revokedSessions" };
        let change = if is_snake {
            json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD})
        } else {
            json!({"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD})
        };
        let changed = service.change_password(&access, &change).await.expect(200);
        let access =
            find(&changed.body, &["accessToken", "access_token"]).as_str().expect("a token").to_owned();
        let mut data_of_change = data(changed.body);
        let count = data_of_change.as_object_mut().and_then(|members| members.remove(name));
        assert_eq!(count, Some(json!(1)), "{format}");
        assert_eq!(data_of_change, data(signup.body), "{format}: a token response like any other");
        let revoked = service.call("POST", "/auth/revoke-all").bearer(&access).send().await.expect(200);
        assert_eq!(data(revoked.body), json!({ name: 1 }), "{format}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_functions_and_of_the_gateway_are_spelt_alike() {
    let spell = |format, code: &str, text: &str| match format {
        "camel" => json!({"error": code, "errorDescription": text, "requestId": "…"}),
        "snake" => json!({"error": code, "error_description": text, "request_id": "…"}),
        "envelope" => json!({"success": false, "error": {"code": code, "message": text}, "requestId": "…"}),
        _ => json!({"success": false, "error": code, "message": text, "request_id": "…"}),
    };
    for format in FORMATS {
        let service = start(format).await;
        let by_function = service.try_login("ada@example.com", "wrong password").await.expect(401);
        let text = "The e-mail address or the password is wrong.";
        assert_eq!(shape(by_function.body), spell(format, "invalid_credentials", text));
        let by_gateway = service.call("GET", "/auth/me").send().await.expect(401);
        let text = "The access token is missing or not valid.";
        assert_eq!(shape(by_gateway.body), spell(format, "invalid_token", text));
        let by_gateway = service.call("GET", "/nothing").send().await.expect(404);
        assert_eq!(shape(by_gateway.body), spell(format, "not_found", "There is no such route."));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_names_the_request_that_the_audit_lines_name() {
    let service = Service::start(&[]).await;
    let reply = service.try_login("ada@example.com", "wrong password").await.expect(401);
    let entries = service.stack.audit().entries();
    let entry = serde_json::to_value(entries.last().expect("an entry")).expect("JSON");
    assert_eq!(reply.body["requestId"], entry["request_id"]);
    assert!(reply.body["requestId"].as_str().is_some_and(|id| !id.is_empty()));
}
