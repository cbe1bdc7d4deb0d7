//! `POST /auth/login`: starts a session.
//!
//! Two round trips to the table. In the first the attempt is counted, for the address and for the client's network, and
//! the credential is read. Only an attempt that is inside every limit reaches the password, so that any number of parallel
//! guesses gets no more than the limit verified. The second writes the session and reads the user.

use auth_core::Platform;
use auth_core::attempt::Attempt;
use auth_core::audit::{Entry, Event, Outcome};
use auth_core::clock::Timestamp;
use auth_core::config::{self, Faults, Grants, HttpConfig, Lookup, StoreConfig};
use auth_core::http::{Answer, ApiError, Endpoint, HttpFunction, Incoming};
use auth_core::limits::LoginLimits;
use auth_core::password::Password;
use auth_core::password::hash::{Hasher, HashingConfig, Verdict};
use auth_core::session::{Revocation, RevocationReason, Session, SessionId};
use auth_core::store::{Credential, Store, Streak};
use auth_core::user::{User, UserId, UserStatus};
use http::StatusCode;

/// The endpoint.
pub struct Login {
    http: HttpConfig,
    grants: Grants,
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
pub fn build(lookup: &Lookup<'_>, platform: Platform) -> Result<HttpFunction<Login>, Faults> {
    config::from_lookup(lookup, |settings| {
        let http = HttpConfig::read(settings);
        let limits = LoginLimits::read(settings);
        let hasher = HashingConfig::read(settings).hasher(settings);
        let store = StoreConfig::read(settings);
        let grants = Grants::read(settings);
        let (grants, hasher, store) = (grants?, hasher?, Store::new(&store));
        let login = Login { http: http.clone(), grants, limits, hasher, store, platform };
        Some(HttpFunction::new(login, &http))
    })
}

impl Endpoint for Login {
    async fn answer(&self, request: Incoming) -> Result<Answer, ApiError> {
        let now = self.platform.clock.now();
        let mut fields = request.fields()?;
        let address = fields.address()?;
        let password = Password::new(&fields.text("password")?);
        let attempt = Attempt {
            store: &self.store,
            limits: &self.limits,
            audit: &self.platform.audit,
            client: &request.client,
            address: address.lookup(),
            user: None,
            now,
        };
        let (credential, streak) = attempt.admit().await?;
        let hash = credential.as_ref().map(|credential| credential.hash.clone());
        match (self.hasher.verify(password.clone(), hash).await?, credential) {
            (Verdict::Right { outdated }, Some(credential)) => {
                let rehash = outdated.then_some(password);
                self.succeed(&request, &attempt, &credential, streak, rehash).await
            }
            (_, credential) => {
                let user = credential.map(|credential| credential.user);
                let reason = if user.is_some() { "wrong_password" } else { "unknown_address" };
                self.record_failure(&request, user.as_ref(), reason, now);
                attempt.fail(streak, user.as_ref()).await?;
                Err(ApiError::InvalidCredentials)
            }
        }
    }

    async fn warm_up(&self) {
        self.store.connect_by_get_user().await;
    }
}

impl Login {
    async fn succeed(
        &self,
        request: &Incoming,
        attempt: &Attempt<'_>,
        credential: &Credential,
        streak: Streak,
        rehash: Option<Password>,
    ) -> Result<Answer, ApiError> {
        let now = attempt.now;
        let sid = SessionId::generate(&self.platform.random)?;
        let session =
            Session::begin(credential.user.clone(), sid, &request.client, now, &self.grants.sessions);
        let (written, user, (), ()) = tokio::join!(
            self.store.put_session(&session, session.kept_until(&self.grants.sessions)),
            self.store.user(&credential.user),
            attempt.forgive(streak),
            self.rehash(attempt, credential, rehash),
        );
        written?;
        let user = self.active(user?, request, &session, now).await?;
        let entry = Entry::new(Event::Login, Outcome::Success, &request.client, now);
        self.platform.audit.record(entry.of(&user.id).in_session(&session.id));
        let grant = self.grants.granter.grant(user, &session, now, &self.platform.random)?;
        Ok(Answer::tokens(&self.http, StatusCode::OK, request, &grant))
    }

    /// The user is read beside the write of the session. Nobody has a token of that session yet, so a disabled user's is
    /// ended again before anybody could use it.
    async fn active(
        &self,
        user: Option<User>,
        request: &Incoming,
        session: &Session,
        now: Timestamp,
    ) -> Result<User, ApiError> {
        let user = user.ok_or_else(|| ApiError::Internal("a credential without its user".into()))?;
        if user.status == UserStatus::Active {
            return Ok(user);
        }
        let revocation = Revocation { at: now, reason: RevocationReason::UserDisabled };
        self.store.revoke(&session.user, &session.id, revocation, &request.client.invocation_id).await?;
        self.record_failure(request, Some(&user.id), "user_disabled", now);
        Err(ApiError::DISABLED)
    }

    /// Replaces a hash that was made with other parameters than today's. If it fails, the next login tries again.
    async fn rehash(&self, attempt: &Attempt<'_>, credential: &Credential, password: Option<Password>) {
        let Some(password) = password else { return };
        match self.hasher.hash(password, &self.platform.random).await {
            Ok(hash) => {
                if let Err(error) = self.store.replace_hash(attempt.address, &credential.hash, &hash).await {
                    tracing::warn!(%error, "a password hash was not replaced");
                }
            }
            Err(error) => tracing::warn!(%error, "a password was not hashed anew"),
        }
    }

    fn record_failure(
        &self,
        request: &Incoming,
        user: Option<&UserId>,
        reason: &'static str,
        now: Timestamp,
    ) {
        let entry = Entry::new(Event::Login, Outcome::Failure, &request.client, now).because(reason);
        self.platform.audit.record(entry.of_known(user));
    }
}
