//! `POST /auth/password`: changes the user's password, and ends their other sessions.
//!
//! The authorizer in front has checked the access token; that alone changes no password. The current one is asked for, and
//! guesses at it are counted together with those at the login, before any of them is looked at.
//!
//! First the password, then the sessions: a login with the old one that comes later begins none. If ending them fails, the
//! caller is told to come back, and repeats a change that has taken effect (see `change`).

mod change;

use std::pin::pin;
use std::time::Duration;

use auth_core::Platform;
use auth_core::attempt::Attempt;
use auth_core::audit::{Entry, Event, Outcome};
use auth_core::clock::Timestamp;
use auth_core::config::{self, Faults, HttpConfig, Lookup, StoreConfig};
use auth_core::ending::{ENDING_TIME, Ending, Scope};
use auth_core::http::{Answer, ApiError, Endpoint, HttpFunction, Incoming, Principal};
use auth_core::limits::LoginLimits;
use auth_core::password::hash::{Hasher, HashingConfig};
use auth_core::password::rules::PasswordRules;
use auth_core::password::{Password, rules};
use auth_core::session::{Revocation, RevocationReason};
use auth_core::store::Store;
use auth_core::user::{User, UserStatus};
use serde_json::json;
use tokio::time::Instant;

use crate::change::{Change, Changed, Failure};

/// How long after its begin a request may still write the password. Every answer is given after 8 s, and a write may take 4: one
/// that began later could land without an audit line.
const WRITING_TIME: Duration = Duration::from_secs(4);

/// The endpoint.
pub struct ChangePassword {
    http: HttpConfig,
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
        let function = ChangePassword { http: http.clone(), rules, limits, hasher: hasher?, store, platform };
        Some(HttpFunction::new(function, &http))
    })
}

/// The two passwords of a request.
pub(crate) struct Passwords {
    pub(crate) current: Password,
    pub(crate) new: Password,
}

impl Endpoint for ChangePassword {
    async fn answer(&self, request: Incoming) -> Result<Answer, ApiError> {
        let now = self.platform.clock.now();
        // From here on, not from when the sessions are looked for: what comes before may be slow.
        let write_by = Instant::now() + WRITING_TIME;
        let mut time_up = pin!(tokio::time::sleep(ENDING_TIME));
        let principal = request.principal()?;
        let passwords = read(&request)?;
        let user = self.caller(&request, principal, now).await?;
        let checked = rules::check_for(&user.email, &user.names, &passwords.new, self.rules).await;
        checked.map_err(|error| ApiError::Internal(error.into()))??;
        self.change(&request, principal, &user, passwords, When { now, write_by }).await?;
        let ending = Ending {
            store: &self.store,
            platform: &self.platform,
            client: &request.client,
            user: &principal.user,
            own: &principal.session,
            revocation: Revocation { at: now, reason: RevocationReason::PasswordChanged },
        };
        let ended = ending.end(Scope::Others, time_up.as_mut()).await?;
        Ok(Answer::data(&self.http, json!({ "revokedSessions": ended })))
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

    async fn change(
        &self,
        request: &Incoming,
        principal: &Principal,
        user: &User,
        passwords: Passwords,
        When { now, write_by }: When,
    ) -> Result<(), ApiError> {
        let address = user.email.parse::<auth_core::address::Address>();
        let address = address.map_err(|error| ApiError::Internal(error.into()))?;
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
            passwords: &passwords,
            write_by,
        };
        let (streak, outcome) = change.make().await?;
        match outcome {
            Ok(changed) => {
                let reason = (changed == Changed::Before).then_some("repeated");
                self.record(request, principal, Outcome::Success, reason, now);
                attempt.forgive(streak).await;
                Ok(())
            }
            Err(Failure { guesses, error }) => {
                self.record(request, principal, Outcome::Failure, Some("wrong_password"), now);
                change.fail(streak, guesses).await?;
                Err(error)
            }
        }
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
