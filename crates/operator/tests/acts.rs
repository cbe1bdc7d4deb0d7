//! What an operator's acts do to the running service.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails may panic")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use auth_core::audit::AuditLog;
use auth_core::client::Client;
use auth_core::session::{Session, SessionId};
use auth_core::store::{Revoked, Store, Streak};
use auth_core::user::{User, UserStatus};
use aws_sdk_dynamodb::config::interceptors::BeforeSerializationInterceptorContextMut;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemInput;
use aws_sdk_dynamodb::operation::query::QueryInput;
use aws_sdk_dynamodb::types::AttributeValue;
use local::stack::{Options, Stack};
use operator::report::Report;
use operator::{Failure, Operator, Unlocked, Whom};
use serde_json::{Value, json};

const PASSWORD: &str = "plum-kettle-orbit-4172";
const TABLE: &str = "latchkey-Table";

/// An operator who asks the table of `stack` by `dynamodb`, for one act.
fn operator_by(dynamodb: aws_sdk_dynamodb::Client, stack: &Stack, audit: &AuditLog, act: &str) -> Operator {
    let store = Store::with_client(dynamodb, TABLE.to_owned());
    let caller = Client::new("", "operator/test (ada)", act).in_invocation(act);
    Operator::new(store, stack.clock().clone(), audit.clone(), caller)
}

/// Lets so many requests of one kind pass, and then none.
#[derive(Debug)]
struct Few {
    left: AtomicUsize,
    is_counted: fn(&mut BeforeSerializationInterceptorContextMut<'_>) -> bool,
}

impl Few {
    /// Pages of one session each.
    fn pages(left: usize) -> Self {
        Self::of(left, |context| {
            let query = context.input_mut().downcast_mut::<QueryInput>();
            query.map(|query| query.limit = Some(1)).is_some()
        })
    }

    /// Items that are deleted.
    fn deletions(left: usize) -> Self {
        Self::of(left, |context| context.input_mut().downcast_mut::<DeleteItemInput>().is_some())
    }

    fn of(left: usize, is_counted: fn(&mut BeforeSerializationInterceptorContextMut<'_>) -> bool) -> Self {
        Self { left: AtomicUsize::new(left), is_counted }
    }
}

impl Intercept for Few {
    fn name(&self) -> &'static str {
        "few"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if !(self.is_counted)(context) {
            return Ok(());
        }
        let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        left.map(|_| ()).map_err(|_| "there are no more".into())
    }
}

/// The service, and an operator at its table.
struct Scene {
    stack: Stack,
    operator: Operator,
    audit: AuditLog,
}

impl Scene {
    async fn start() -> Self {
        Self::start_with(&[("LOGIN_LOCK_FAILURES", "3")]).await
    }

    async fn start_with(settings: &[(&str, &str)]) -> Self {
        let cheap = Options::for_testing().with("ARGON2_MEMORY_KIB", "7168").with("ARGON2_ITERATIONS", "1");
        let options = settings.iter().fold(cheap, |options, (name, value)| options.with(name, value));
        let stack = Stack::start(options).await.unwrap();
        let audit = AuditLog::memory();
        let operator = operator_by(stack.dynamodb(), &stack, &audit, "act-1");
        Self { stack, operator, audit }
    }

    /// Calls a function as the gateway does, with the event of `events/` as the mould.
    async fn call(&self, function: &str, mould: &str, body: &Value) -> (u64, Value) {
        self.send(function, serde_json::from_str(mould).unwrap(), body).await
    }

    async fn send(&self, function: &str, mut event: Value, body: &Value) -> (u64, Value) {
        event["body"] = Value::String(body.to_string());
        event["isBase64Encoded"] = json!(false);
        let answer = self.stack.invoke(function, &event).await.unwrap();
        let body = answer["body"].as_str().and_then(|body| serde_json::from_str(body).ok());
        (answer["statusCode"].as_u64().unwrap(), body.unwrap_or_default())
    }

    async fn signup(&self) -> Value {
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        let (status, tokens) =
            self.call("SignupFunction", include_str!("../../../events/signup.json"), &body).await;
        assert_eq!(status, 201, "{tokens}");
        tokens
    }

    async fn login(&self, password: &str) -> (u64, Value) {
        let body = json!({"email": "ada@example.com", "password": password});
        self.call("LoginFunction", include_str!("../../../events/login.json"), &body).await
    }

    async fn refresh(&self, tokens: &Value) -> (u64, Value) {
        let body = json!({"refreshToken": tokens["refreshToken"]});
        self.call("RefreshFunction", include_str!("../../../events/refresh.json"), &body).await
    }

    /// Asks for a password change with an access token and this current password.
    async fn change_password(&self, tokens: &Value, current: &str) -> u64 {
        let context = self.authorize(tokens).await.unwrap();
        let mut event: Value =
            serde_json::from_str(include_str!("../../../events/change-password.json")).unwrap();
        event["requestContext"]["authorizer"] = context;
        let body = json!({"currentPassword": current, "newPassword": "Lantern-Quartz-Meadow"});
        self.send("ChangePasswordFunction", event, &body).await.0
    }

    /// Whether the authorizer lets an access token pass.
    async fn passes(&self, tokens: &Value) -> bool {
        self.authorize(tokens).await.is_some()
    }

    /// The authorizer's context for an access token; `None` if it rejects the token.
    async fn authorize(&self, tokens: &Value) -> Option<Value> {
        let mut event: Value =
            serde_json::from_str(include_str!("../../../events/authorizer-token.json")).unwrap();
        event["authorizationToken"] = json!(format!("Bearer {}", tokens["accessToken"].as_str().unwrap()));
        match self.stack.invoke("AuthorizerFunction", &event).await {
            Ok(mut answer) => Some(answer["context"].take()),
            Err(error) => {
                assert_eq!(error.error_message, "Unauthorized");
                None
            }
        }
    }

    /// An operator whose requests to the table meet `hindrance`.
    fn hindered(&self, hindrance: Few) -> Operator {
        let config = self.stack.dynamodb().config().to_builder().interceptor(hindrance).build();
        operator_by(aws_sdk_dynamodb::Client::from_conf(config), &self.stack, &self.audit, "act-1")
    }

    /// Keys of every item but counts.
    async fn keys(&self) -> Vec<String> {
        let scan = self.stack.dynamodb().scan().table_name(TABLE).send().await.unwrap();
        let key = |item: &HashMap<String, AttributeValue>| item["pk"].as_s().unwrap().clone();
        scan.items().iter().map(key).filter(|key| !key.starts_with("LIMIT#")).collect()
    }

    async fn ada(&self) -> User {
        self.operator.find(&Whom::Address("ADA@example.com".parse().unwrap())).await.unwrap()
    }

    /// The audit lines of the operator: event, outcome and user agent.
    fn lines(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let lines = self.audit.entries().into_iter().map(|entry| serde_json::to_value(entry).unwrap());
        lines
            .map(|line| {
                assert_eq!(
                    (&line["user_agent"], &line["reason"]),
                    (&json!("operator/test (ada)"), &json!("operator"))
                );
                (text(&line["event"]), text(&line["outcome"]))
            })
            .collect()
    }
}

fn line(event: &str) -> (String, String) {
    (event.to_owned(), "success".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_disable_the_next_request_and_the_next_refresh_fail_and_so_does_a_login() {
    let scene = Scene::start().await;
    let tokens = scene.signup().await;
    assert!(scene.passes(&tokens).await);
    let user = scene.ada().await;
    let disabled = scene.operator.disable(&user, Duration::ZERO).await.unwrap();
    assert_eq!((disabled.before, disabled.ended), (UserStatus::Active, 1));
    assert!(!scene.passes(&tokens).await);
    assert_eq!(scene.refresh(&tokens).await.0, 403);
    assert_eq!(scene.login(PASSWORD).await.0, 403);
    assert_eq!(scene.lines(), [line("user_disabled"), line("sessions_revoked")]);
    let again = scene.operator.disable(&user, Duration::ZERO).await.unwrap();
    assert_eq!(again.before, UserStatus::Disabled);
}

#[tokio::test(flavor = "multi_thread")]
async fn enable_lets_the_user_in_and_brings_no_session_back() {
    let scene = Scene::start().await;
    let tokens = scene.signup().await;
    let user = scene.ada().await;
    scene.operator.disable(&user, Duration::ZERO).await.unwrap();
    assert_eq!(scene.operator.enable(&user).await.unwrap(), UserStatus::Disabled);
    assert!(!scene.passes(&tokens).await);
    assert_eq!(scene.refresh(&tokens).await.0, 401);
    let (status, fresh) = scene.login(PASSWORD).await;
    assert_eq!(status, 200);
    assert!(scene.passes(&fresh).await);
    assert_eq!(scene.lines().last(), Some(&line("user_enabled")));
}

/// A login that has read the user just before they are disabled writes its session after the first sweep.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_a_request_under_way_begins_is_ended_too() {
    let scene = Scene::start().await;
    let tokens = scene.signup().await;
    let user = scene.ada().await;
    let store = Store::with_client(scene.stack.dynamodb(), TABLE.to_owned());
    let begun = scene.operator.sessions(&user).await.unwrap().remove(0);
    let late = Session { id: SessionId::parse(&"A".repeat(43)).unwrap(), ..begun };
    let (operator, of) = (scene.operator.clone(), user.clone());
    let disabling = tokio::spawn(async move { operator.disable(&of, Duration::from_millis(1_500)).await });
    while scene.passes(&tokens).await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    store.put_session(late.clone(), late.absolute_ends_at).await.unwrap();
    assert_eq!(disabling.await.unwrap().unwrap().ended, 2);
    let ended = store.session(&user.id, &late.id).await.unwrap().unwrap().revoked.unwrap();
    assert_eq!(ended.reason.as_str(), "user_disabled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_user_leaves_nothing_and_the_address_may_sign_up_again() {
    let scene = Scene::start().await;
    let first = scene.signup().await;
    let user = scene.ada().await;
    let sid = scene.operator.sessions(&user).await.unwrap().remove(0).id;
    scene.operator.end(&user, &sid).await.unwrap();
    let (_, second) = scene.login(PASSWORD).await;
    let address = "ada@example.com".parse().unwrap();
    let deleted = scene.operator.delete(&user, &address, Duration::ZERO).await.unwrap();
    assert_eq!((deleted.ended, deleted.records), (1, 2));
    assert_eq!(scene.keys().await, Vec::<String>::new());
    assert!(!scene.passes(&first).await && !scene.passes(&second).await);
    assert_eq!(scene.refresh(&second).await.0, 401);
    assert_eq!(scene.login(PASSWORD).await.0, 401);
    assert!(matches!(scene.operator.find(&Whom::Id(user.id.clone())).await, Err(Failure::UnknownUser(_))));
    assert_eq!(scene.lines()[1..], [line("user_disabled"), line("sessions_revoked"), line("user_deleted")]);
    scene.signup().await;
    assert_ne!(scene.ada().await.id, user.id);
    let again = scene.operator.delete(&user, &address, Duration::ZERO).await;
    assert!(matches!(again, Err(Failure::UnknownUser(_))), "{again:?}");
    assert_eq!(scene.login(PASSWORD).await.0, 200, "who has signed up since is somebody else");
}

/// As a login does that has read the user just before.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_a_request_under_way_begins_is_deleted_too() {
    let scene = Scene::start().await;
    let tokens = scene.signup().await;
    let user = scene.ada().await;
    let store = Store::with_client(scene.stack.dynamodb(), TABLE.to_owned());
    let begun = scene.operator.sessions(&user).await.unwrap().remove(0);
    let late = Session { id: SessionId::parse(&"A".repeat(43)).unwrap(), ..begun };
    let (operator, of) = (scene.operator.clone(), user.clone());
    let deleting = tokio::spawn(async move {
        operator.delete(&of, &"ada@example.com".parse().unwrap(), Duration::from_millis(1_500)).await
    });
    while scene.passes(&tokens).await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    store.put_session(late.clone(), late.absolute_ends_at).await.unwrap();
    assert_eq!(deleting.await.unwrap().unwrap().records, 2);
    assert_eq!(scene.keys().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_was_broken_off_anywhere_goes_on_by_the_users_id() {
    for so_many in 0..4 {
        let scene = Scene::start().await;
        let tokens = scene.signup().await;
        scene.login(PASSWORD).await;
        let user = scene.ada().await;
        let address = "ada@example.com".parse().unwrap();
        let hindered = scene.hindered(Few::deletions(so_many));
        let failure = hindered.delete(&user, &address, Duration::ZERO).await.unwrap_err();
        assert!(matches!(failure, Failure::Undeleted { .. }), "{failure}");
        assert!(failure.to_string().contains(user.id.as_str()), "{failure}");
        assert_eq!(scene.lines().last(), Some(&("user_deleted".to_owned(), "failure".to_owned())));
        assert_ne!(scene.login(PASSWORD).await.0, 200);
        if so_many > 0 {
            // The address is free, and the rest of the deletion leaves alone who takes it.
            assert!(!scene.passes(&tokens).await);
            scene.signup().await;
        }
        let by_id = Whom::Id(user.id.clone());
        let (user, address) =
            (scene.operator.find(&by_id).await.unwrap(), scene.operator.address(&by_id).await.unwrap());
        scene.operator.delete(&user, &address, Duration::ZERO).await.unwrap();
        let keys = scene.keys().await;
        assert!(!keys.iter().any(|key| key.contains(user.id.as_str())), "{keys:?}");
        let signs_in = if so_many > 0 { 200 } else { 401 };
        assert_eq!(scene.login(PASSWORD).await.0, signs_in, "after {so_many}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_is_ended_and_the_others_live_on() {
    let scene = Scene::start().await;
    let first = scene.signup().await;
    let user = scene.ada().await;
    let sid = scene.operator.sessions(&user).await.unwrap().remove(0).id;
    let (_, second) = scene.login(PASSWORD).await;
    assert_eq!(scene.operator.end(&user, &sid).await.unwrap(), Revoked::Now);
    assert!(!scene.passes(&first).await && scene.passes(&second).await);
    assert_eq!(scene.refresh(&first).await.0, 401);
    let later = operator_by(scene.stack.dynamodb(), &scene.stack, &scene.audit, "act-2");
    assert_eq!(later.end(&user, &sid).await.unwrap(), Revoked::NotLive, "a second time");
    let unknown = SessionId::parse(&"A".repeat(43)).unwrap();
    assert!(matches!(scene.operator.end(&user, &unknown).await, Err(Failure::UnknownSession(_))));
    assert_eq!(scene.lines(), [line("session_ended")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_sessions_are_ended_and_the_history_says_why() {
    let scene = Scene::start().await;
    let first = scene.signup().await;
    let (_, second) = scene.login(PASSWORD).await;
    let user = scene.ada().await;
    assert_eq!(scene.operator.end_all(&user).await.unwrap(), 2);
    assert!(!scene.passes(&first).await && !scene.passes(&second).await);
    let history = scene.operator.sessions(&user).await.unwrap();
    let reasons: Vec<&str> = history.iter().map(|session| session.revoked.unwrap().reason.as_str()).collect();
    assert_eq!(reasons, ["operator", "operator"]);
    assert_eq!(scene.operator.end_all(&user).await.unwrap(), 0);
    assert_eq!(scene.lines(), [line("sessions_revoked")], "nothing to end is no event");
    assert_eq!(scene.login(PASSWORD).await.0, 200, "the user may sign in");
}

/// A login that is under way compares it.
#[tokio::test(flavor = "multi_thread")]
async fn ending_all_sessions_and_disabling_move_the_serial_and_enabling_does_not() {
    let scene = Scene::start().await;
    scene.signup().await;
    let serial = async || scene.ada().await.sessions_serial;
    assert_eq!(serial().await, 0);
    scene.operator.end_all(&scene.ada().await).await.unwrap();
    assert_eq!(serial().await, 1);
    scene.operator.disable(&scene.ada().await, Duration::ZERO).await.unwrap();
    assert_eq!(serial().await, 2);
    scene.operator.enable(&scene.ada().await).await.unwrap();
    assert_eq!(serial().await, 2);
}

#[tokio::test]
async fn what_was_ended_before_a_page_could_not_be_read_is_in_the_audit_trail() {
    let scene = Scene::start().await;
    let mut sessions = vec![scene.signup().await];
    for _ in 0..2 {
        sessions.push(scene.login(PASSWORD).await.1);
    }
    let ada = scene.ada().await;
    let end_all = async |pages| scene.hindered(Few::pages(pages)).end_all(&ada).await.unwrap_err();

    let failure = end_all(2).await;
    assert!(matches!(failure, Failure::Partly { ended: 2, found: 2, .. }), "{failure}");
    let failure = end_all(0).await;
    assert!(matches!(failure, Failure::Store(_)), "{failure}");

    let recorded = ("sessions_revoked".to_owned(), "failure".to_owned());
    assert_eq!(scene.lines(), [recorded.clone(), recorded]);
    let mut live = 0;
    for tokens in &sessions {
        live += usize::from(scene.passes(tokens).await);
    }
    assert_eq!(live, 1);
    // Coming back for the rest ends it.
    assert_eq!(scene.operator.end_all(&ada).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlocked_address_may_try_again_known_or_not() {
    let scene = Scene::start().await;
    scene.signup().await;
    for _ in 0..3 {
        assert_eq!(scene.login("not the password").await.0, 401);
    }
    assert_eq!(scene.login(PASSWORD).await.0, 429);
    let address = scene.operator.address(&Whom::Id(scene.ada().await.id)).await.unwrap();
    let before = scene.operator.unlock(&address).await.unwrap();
    assert!(matches!(before.login, Streak::Locked { .. }), "{before:?}");
    assert_eq!(before.password_change, Streak::None);
    assert_eq!(scene.login(PASSWORD).await.0, 200);
    let nobody = "nobody@example.com".parse().unwrap();
    let none = Unlocked { login: Streak::None, password_change: Streak::None };
    assert_eq!(scene.operator.unlock(&nobody).await.unwrap(), none);
    assert_eq!(scene.lines(), [line("address_unlocked"), line("address_unlocked")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn unlock_lifts_the_lock_of_password_changes() {
    let scene = Scene::start().await;
    let tokens = scene.signup().await;
    for _ in 0..3 {
        assert_eq!(scene.change_password(&tokens, "not the password").await, 401);
    }
    assert_eq!(scene.change_password(&tokens, PASSWORD).await, 429);
    let address = "ada@example.com".parse().unwrap();
    let before = scene.operator.unlock(&address).await.unwrap();
    assert!(matches!(before.password_change, Streak::Locked { .. }), "{before:?}");
    assert_eq!(before.login, Streak::None);
    let report = Report::Unlock(address, before);
    assert!(report.json()["passwordChangeLockedUntil"].is_u64() && report.json()["lockedUntil"].is_null());
    assert!(report.text().contains("\nthe password change of ada@example.com was locked until 20"));
    assert_eq!(scene.lines(), [line("address_unlocked")]);
    assert_eq!(scene.change_password(&tokens, PASSWORD).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn unlock_resets_the_password_change_limits_of_the_user_and_the_session() {
    let scene = Scene::start_with(&[("LOGIN_LOCK_FAILURES", "0")]).await;
    let by_session = scene.signup().await;
    let address = "ada@example.com".parse().unwrap();
    for _ in 0..10 {
        assert_eq!(scene.change_password(&by_session, "not the password").await, 401);
    }
    assert_eq!(scene.change_password(&by_session, PASSWORD).await, 429, "the limit of the session");
    let by_user = scene.login(PASSWORD).await.1;
    for _ in 0..10 {
        assert_eq!(scene.change_password(&by_user, "not the password").await, 401);
    }
    let third = scene.login(PASSWORD).await.1;
    assert_eq!(scene.change_password(&third, PASSWORD).await, 429, "the limit of the user");
    scene.operator.unlock(&address).await.unwrap();
    assert_eq!(scene.change_password(&by_session, PASSWORD).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_over_its_limit_may_try_again_in_the_same_window() {
    let scene = Scene::start().await;
    scene.signup().await;
    let address = "ada@example.com".parse().unwrap();
    for _ in 0..20 {
        scene.login("not the password").await;
    }
    assert_eq!(scene.login(PASSWORD).await.0, 429);
    scene.operator.unlock(&address).await.unwrap();
    assert_eq!(scene.login(PASSWORD).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_that_is_not_there_is_told_by_name() {
    let scene = Scene::start().await;
    let nobody = Whom::Address("nobody@example.com".parse().unwrap());
    assert_eq!(
        scene.operator.find(&nobody).await.unwrap_err().to_string(),
        "there is no user nobody@example.com"
    );
    assert_eq!(scene.lines(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_whose_addresses_are_one_are_listed_and_left_alone() {
    let scene = Scene::start().await;
    scene.signup().await;
    let dynamodb = scene.stack.dynamodb();
    let ids = ["7f3c9a52-1f0e-4b7b-9d3e-2a6c5b8e4d10", "8f3c9a52-1f0e-4b7b-9d3e-2a6c5b8e4d10"];
    let stored = ["χρήστης.α@example.com", "χρήστησ.α@example.com"];
    for (address, user) in stored.into_iter().zip(ids) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let put = dynamodb.put_item().table_name(TABLE).item("pk", text(&format!("EMAIL#{address}")));
        put.item("sk", text("CREDENTIAL")).item("user_id", text(user)).send().await.unwrap();
    }
    let found = scene.operator.addresses().await.unwrap();
    assert_eq!(found.checked, 3);
    let shared: Vec<_> = found.shared.iter().collect();
    assert_eq!(shared.len(), 1, "{shared:?}");
    assert_eq!(shared[0].0, "χρήστησ.α@example.com");
    let accounts: Vec<_> =
        shared[0].1.iter().map(|(stored, user)| (stored.as_str(), user.as_str())).collect();
    assert_eq!(accounts, [(stored[0], ids[0]), (stored[1], ids[1])]);
    let report = Report::Addresses(found);
    assert_eq!(report.json()["shared"][0]["accounts"][1]["userId"], ids[1]);
    let text = report.text();
    assert!(text.starts_with("3 addresses were compared; 1 have more than one account\n"), "{text}");
    assert!(text.contains(stored[0]) && text.contains(ids[1]), "{text}");
}
