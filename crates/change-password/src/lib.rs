//! `POST /auth/password`: changes the user's password, ends every session that was there before, and begins a new one.
//!
//! The authorizer in front has checked the access token; that alone changes no password. The current one is asked for, and
//! guesses at it are counted together with those at the login, before any of them is looked at.
//!
//! First the password, then the other sessions, then the new session, and last the session that asks: a stolen copy of its tokens
//! does not survive the change (OWASP ASVS 5.0 V7.2.4). A login with the old password that comes later begins no session. Until
//! the asking session has ended, the caller can repeat a request that was not answered (see `change` and `succession`).

mod change;
mod succession;

use std::time::Duration;

use auth_core::Platform;
use auth_core::address::Address;
use auth_core::attempt::Attempt;
use auth_core::audit::{Entry, Event, Outcome};
use auth_core::beginning::Beginning;
use auth_core::clock::Timestamp;
use auth_core::config::{self, Faults, Grants, HttpConfig, Lookup, StoreConfig};
use auth_core::credential::Basis;
use auth_core::ending::{Ending, Scope};
use auth_core::http::{Answer, ApiError, Endpoint, HttpFunction, Incoming, LONG_DEADLINE, Principal, origin};
use auth_core::limiter::RateLimiter;
use auth_core::limits::LoginLimits;
use auth_core::password::hash::{Hasher, HashingConfig};
use auth_core::password::rules::PasswordRules;
use auth_core::password::{Password, rules};
use auth_core::session::{Revocation, RevocationReason, SessionId};
use auth_core::store::Store;
use auth_core::user::{User, UserStatus};
use lambda_http::http::StatusCode;
use serde_json::json;
use tokio::time::Instant;

use crate::change::{Change, Changed, Failure};
use crate::succession::Succession;

/// How long after its begin a request may still write the password. A write may take 4 s, and the sessions are ended after it.
const WRITING_TIME: Duration = Duration::from_secs(4);

/// The endpoint.
pub struct ChangePassword {
    http: HttpConfig,
    grants: Grants,
    rules: PasswordRules,
    limits: LoginLimits,
    hasher: Hasher,
    store: Store,
    platform: Platform,
}

/// Builds the function.
///
/// # Errors
///
/// Every fault of the environment.
pub fn build(lookup: &Lookup<'_>, platform: Platform) -> Result<HttpFunction<ChangePassword>, Faults> {
    config::from_lookup(lookup, |settings| {
        let http = HttpConfig::read(settings);
        let rules = PasswordRules::read(settings);
        let limits = LoginLimits::read(settings);
        let hasher = HashingConfig::read(settings).hasher(settings);
        let store = Store::new(&StoreConfig::read(settings));
        let grants = Grants::read(settings);
        let (grants, hasher) = (grants?, hasher?);
        let function = ChangePassword { http: http.clone(), grants, rules, limits, hasher, store, platform };
        Some(HttpFunction::new(function, &http))
    })
}

/// The two passwords of a request.
pub(crate) struct Passwords {
    pub(crate) current: Password,
    pub(crate) new: Password,
}

impl Endpoint for ChangePassword {
    const DEADLINE: Duration = LONG_DEADLINE;

    async fn answer(&self, request: Incoming) -> Result<Answer, ApiError> {
        let now = self.platform.clock.now();
        // From here on, not from when the sessions are looked for: what comes before may be slow.
        let begun = Instant::now();
        let write_by = begun + WRITING_TIME;
        let principal = request.principal()?;
        // The answer sets the refresh cookie, as that of a login does.
        origin::require_same_site(&request, &self.http, &self.platform.audit, now)?;
        let passwords = read(&request)?;
        let user = self.caller(&request, principal, now).await?;
        self.limit_session(&request, principal, now).await?;
        let checked = rules::check_for(&user.email, &user.names, &passwords.new, self.rules).await;
        checked.map_err(|error| ApiError::Internal(error.into()))??;
        let successor = SessionId::generate(&self.platform.random)?;
        let address = user.email.parse::<Address>().map_err(|error| ApiError::Internal(error.into()))?;
        let when = When { now, write_by };
        let caller = Caller { request: &request, principal, user: &user, address: &address };
        let changed = self.change(&caller, &successor, passwords, when).await?;
        let ending = Ending {
            store: &self.store,
            platform: &self.platform,
            client: &request.client,
            user: &principal.user,
            own: &principal.session,
            successor: changed.version.changed_to.as_ref(),
            revocation: Revocation { at: now, reason: RevocationReason::PasswordChanged },
        };
        let ended = ending.end(Scope::Others, begun).await?;
        let succession = self.succession(&caller, &changed, now).complete().await;
        let (session, user) = succession.inspect_err(|error| {
            if let Some(reason) = error.refusal() {
                let entry = Entry::new(Event::Login, Outcome::Failure, &request.client, now);
                self.platform.audit.record(entry.of(&principal.user).because(reason));
            }
        })?;
        let entry = Entry::new(Event::Login, Outcome::Success, &request.client, now);
        self.platform.audit.record(entry.of(&user.id).in_session(&session.id).because("password_changed"));
        let grant = self.grants.granter.grant(user, &session, now, &self.platform.random)?;
        let answer = Answer::tokens(&self.http, StatusCode::OK, &request, &grant).replacing_session();
        Ok(answer.with_member(&self.http, "revokedSessions", json!(ended)))
    }

    /// The estimator is built while the connection waits for the network.
    async fn warm_up(&self) {
        let estimator = tokio::task::spawn_blocking(rules::build_estimator);
        let ((), _) = tokio::join!(self.store.connect_by_get_user(), estimator);
    }
}

/// The time of a request, and the last moment to begin its write.
#[derive(Clone, Copy)]
struct When {
    now: Timestamp,
    write_by: Instant,
}

/// The caller of a request.
#[derive(Clone, Copy)]
struct Caller<'a> {
    request: &'a Incoming,
    principal: &'a Principal,
    user: &'a User,
    address: &'a Address,
}

/// The same password twice is no change. It is not a weak one either: nothing is said about how easy it is to guess.
fn read(request: &Incoming) -> Result<Passwords, ApiError> {
    let mut fields = request.fields()?;
    let current = Password::new(&fields.text("currentPassword")?);
    let new = Password::new(&fields.text("newPassword")?);
    if new == current {
        return Err(ApiError::field("newPassword", "is the current password"));
    }
    Ok(Passwords { current, new })
}

impl ChangePassword {
    /// The user, in a session that lives. With `SESSION_CHECK=off` the authorizer has not looked, and this is worth a read.
    async fn caller(
        &self,
        request: &Incoming,
        principal: &Principal,
        now: Timestamp,
    ) -> Result<User, ApiError> {
        let (session, user) = tokio::join!(
            self.store.session(&principal.user, &principal.session),
            self.store.user(&principal.user)
        );
        if session?.is_none_or(|session| session.ended(now).is_some()) {
            self.record(request, principal, Outcome::Failure, Some("session_ended"), now);
            return Err(ApiError::InvalidToken);
        }
        // A user who is gone has no valid token.
        let user = user?.ok_or(ApiError::InvalidToken)?;
        if user.status != UserStatus::Active {
            self.record(request, principal, Outcome::Failure, Some("user_disabled"), now);
            return Err(ApiError::DISABLED);
        }
        Ok(user)
    }

    /// Counts the request for its session before the new password is estimated, which costs CPU time.
    async fn limit_session(
        &self,
        request: &Incoming,
        principal: &Principal,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let (store, audit, client) = (&self.store, &self.platform.audit, &request.client);
        let limiter = RateLimiter { store, audit, client, user: Some(&principal.user), now };
        let counter = self.limits.password_session(&principal.session);
        limiter.admit(counter.as_slice(), "password_session", 1).await?;
        Ok(())
    }

    async fn change(
        &self,
        &Caller { request, principal, user, address }: &Caller<'_>,
        successor: &SessionId,
        passwords: Passwords,
        When { now, write_by }: When,
    ) -> Result<Changed, ApiError> {
        let attempt = Attempt {
            store: &self.store,
            limits: &self.limits,
            audit: &self.platform.audit,
            client: &request.client,
            address: address.lookup(),
            user: Some(&user.id),
            now,
        };
        let change = Change {
            attempt: &attempt,
            hasher: &self.hasher,
            random: &self.platform.random,
            user: &user.id,
            session: &principal.session,
            successor,
            passwords: &passwords,
            write_by,
        };
        let (admission, outcome) = change.make().await?;
        match outcome {
            Ok(changed) => {
                let reason = changed.repeated.then_some("repeated");
                self.record(request, principal, Outcome::Success, reason, now);
                attempt.forgive(&admission).await;
                Ok(changed)
            }
            Err(Failure { guesses, error }) => {
                self.record(request, principal, Outcome::Failure, Some("wrong_password"), now);
                attempt.fail(&admission, guesses, Some(&user.id)).await?;
                Err(error)
            }
        }
    }

    fn succession<'a>(&'a self, caller: &Caller<'a>, changed: &'a Changed, now: Timestamp) -> Succession<'a> {
        let basis = Basis {
            user: &caller.user.id,
            password: &changed.version,
            sessions_serial: caller.user.sessions_serial,
        };
        let beginning = Beginning {
            store: &self.store,
            platform: &self.platform,
            client: &caller.request.client,
            address: caller.address.lookup(),
            config: &self.grants.sessions,
            basis,
            now,
            // It takes the place of another.
            session_limit: None,
        };
        Succession { beginning, old: &caller.principal.session }
    }

    fn record(
        &self,
        request: &Incoming,
        principal: &Principal,
        outcome: Outcome,
        reason: Option<&'static str>,
        now: Timestamp,
    ) {
        let mut entry = Entry::new(Event::PasswordChanged, outcome, &request.client, now);
        entry.reason = reason;
        self.platform.audit.record(entry.of(&principal.user).in_session(&principal.session));
    }
}
