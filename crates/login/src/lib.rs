//! `POST /auth/login`: starts a session.
//!
//! Four round trips to DynamoDB, one after the other. The first counts the attempt for the client's networks. The second counts it
//! for the address, and reads the credential. Only an attempt that is within every limit reaches the password, so that any number of
//! parallel guesses gets no more than the limit verified. The user is read while the password is verified. The third round trip
//! writes the session and gives the counts back. The fourth reads the credential, the user and the live sessions: a login that a
//! password change or a revocation of all sessions has overtaken is refused, and its session revoked ([`auth_core::beginning`]);
//! beyond `SESSION_LIMIT` the sessions used longest ago end.

use auth_core::Platform;
use auth_core::attempt::{Admission, Attempt};
use auth_core::audit::{Entry, Event, Outcome};
use auth_core::beginning::{Beginning, BeginningError};
use auth_core::clock::Timestamp;
use auth_core::config::{self, Faults, Grants, HttpConfig, Lookup, StoreConfig};
use auth_core::credential::{Basis, Credential, Refusal};
use auth_core::http::{Answer, ApiError, Endpoint, HttpFunction, Incoming, origin};
use auth_core::limits::LoginLimits;
use auth_core::password::Password;
use auth_core::password::hash::{Hasher, HashingConfig, Verdict};
use auth_core::session::Session;
use auth_core::store::Store;
use auth_core::user::{User, UserId, UserStatus};
use http::StatusCode;

/// The endpoint.
pub struct Login {
    http: HttpConfig,
    grants: Grants,
    session_limit: Option<usize>,
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
        let session_limit = config::read_session_limit(settings);
        let hasher = HashingConfig::read(settings).hasher(settings);
        let store = StoreConfig::read(settings);
        let grants = Grants::read(settings);
        let (grants, hasher, store) = (grants?, hasher?, Store::new(&store));
        let login = Login { http: http.clone(), grants, session_limit, limits, hasher, store, platform };
        Some(HttpFunction::new(login, &http))
    })
}

impl Endpoint for Login {
    async fn answer(&self, request: Incoming) -> Result<Answer, ApiError> {
        let now = self.platform.clock.now();
        // With cookies: a foreign page must not sign its visitor in to an account of its own (login CSRF).
        origin::require_same_site(&request, &self.http, &self.platform.audit, now)?;
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
        let (credential, admission) = attempt.admit().await?;
        let hash = credential.as_ref().map(|credential| credential.hash.clone());
        // Read now, not when the password is known to be right: a revocation during the hash overtakes the login.
        let known = credential.as_ref().map(|credential| &credential.user);
        let (verdict, user) =
            tokio::join!(self.hasher.verify(password.clone(), hash), self.store.known_user(known));
        match (verdict?, credential) {
            (Verdict::Right { outdated }, Some(credential)) => {
                let verified = Verified { credential, user: user?, admission };
                self.succeed(&request, &attempt, &verified, outdated.then_some(password)).await
            }
            (_, credential) => {
                let user = credential.map(|credential| credential.user);
                let reason = if user.is_some() { "wrong_password" } else { "unknown_address" };
                self.record_failure(&request, user.as_ref(), reason, now);
                attempt.fail(&admission, 1, user.as_ref()).await?;
                Err(ApiError::InvalidCredentials)
            }
        }
    }

    async fn warm_up(&self) {
        self.store.connect_by_get_user().await;
    }
}

/// A password that was verified, and what was read for it.
struct Verified {
    credential: Credential,
    user: Option<User>,
    admission: Admission,
}

impl Login {
    async fn succeed(
        &self,
        request: &Incoming,
        attempt: &Attempt<'_>,
        verified: &Verified,
        rehash: Option<Password>,
    ) -> Result<Answer, ApiError> {
        let (now, credential) = (attempt.now, &verified.credential);
        let (begun, (), ()) = tokio::join!(
            self.begin(request, attempt, verified),
            attempt.forgive(&verified.admission),
            self.rehash(attempt, credential, rehash),
        );
        let (session, user) = begun.inspect_err(|error| {
            if let BeginningError::Overtaken(refusal) = error {
                self.record_failure(request, Some(&credential.user), refusal.as_str(), now);
            }
        })?;
        let entry = Entry::new(Event::Login, Outcome::Success, &request.client, now);
        self.platform.audit.record(entry.of(&user.id).in_session(&session.id));
        let grant = self.grants.granter.grant(user, &session, now, &self.platform.random)?;
        Ok(Answer::tokens(&self.http, StatusCode::OK, request, &grant))
    }

    /// A user who was disabled or gone before begins no session.
    async fn begin(
        &self,
        request: &Incoming,
        attempt: &Attempt<'_>,
        Verified { credential, user, .. }: &Verified,
    ) -> Result<(Session, User), BeginningError> {
        let sessions_serial = match user {
            None => return Err(BeginningError::Overtaken(Refusal::UserDeleted)),
            Some(user) if user.status != UserStatus::Active => {
                return Err(BeginningError::Overtaken(Refusal::UserDisabled));
            }
            Some(user) => user.sessions_serial,
        };
        let beginning = Beginning {
            store: &self.store,
            platform: &self.platform,
            client: &request.client,
            address: attempt.address,
            config: &self.grants.sessions,
            basis: Basis { user: &credential.user, password: &credential.version, sessions_serial },
            now: attempt.now,
            session_limit: self.session_limit,
        };
        beginning.begin().await
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
