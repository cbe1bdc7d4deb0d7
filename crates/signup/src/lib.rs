//! `POST /auth/signup`, also `/auth/register`: creates a user and starts a session.
//!
//! Two round trips to the table: the signup is counted for the client's networks while the address is looked up, then credential,
//! user and session are written in one transaction, all or none of them.

use auth_core::Platform;
use auth_core::address::Address;
use auth_core::audit::{Entry, Event, Outcome};
use auth_core::clock::Timestamp;
use auth_core::config::{self, Faults, Grants, HttpConfig, Lookup, StoreConfig};
use auth_core::http::{Answer, ApiError, Endpoint, HttpFunction, Incoming, names, origin};
use auth_core::limiter::RateLimiter;
use auth_core::limits::SignupLimits;
use auth_core::password::hash::{Hasher, HashingConfig};
use auth_core::password::rules::PasswordRules;
use auth_core::password::{Password, rules};
use auth_core::session::{Session, SessionId};
use auth_core::store::{Created, NewUser, Store};
use auth_core::user::{Names, User, UserId, UserStatus};
use http::StatusCode;

/// The endpoint.
pub struct Signup {
    http: HttpConfig,
    grants: Grants,
    rules: PasswordRules,
    limits: SignupLimits,
    hasher: Hasher,
    store: Store,
    platform: Platform,
}

/// Builds the function.
///
/// # Errors
///
/// Every fault of the environment.
pub fn build(lookup: &Lookup<'_>, platform: Platform) -> Result<HttpFunction<Signup>, Faults> {
    config::from_lookup(lookup, |settings| {
        let http = HttpConfig::read(settings);
        let rules = PasswordRules::read(settings);
        let limits = SignupLimits::read(settings);
        let hasher = HashingConfig::read(settings).hasher(settings);
        let store = StoreConfig::read(settings);
        let grants = Grants::read(settings);
        let (grants, hasher, store) = (grants?, hasher?, Store::new(&store));
        let signup = Signup { http: http.clone(), grants, rules, limits, hasher, store, platform };
        Some(HttpFunction::new(signup, &http))
    })
}

/// What somebody signs up with, checked.
struct Application {
    address: Address,
    password: Password,
    names: Names,
}

impl Endpoint for Signup {
    async fn answer(&self, request: Incoming) -> Result<Answer, ApiError> {
        let now = self.platform.clock.now();
        // With cookies: a foreign page must not sign its visitor in to an account of its own (login CSRF).
        origin::require_same_site(&request, &self.http, &self.platform.audit, now)?;
        let application = read(&request)?;
        self.admit(&request, &application, now).await?;
        let hash = self.hasher.hash(application.password, &self.platform.random).await?;
        let user = User {
            id: UserId::generate(&self.platform.random)?,
            email: application.address.as_str().to_owned(),
            names: application.names,
            email_verified: false,
            status: UserStatus::Active,
            sessions_serial: 0,
            created_at: now,
        };
        let sid = SessionId::generate(&self.platform.random)?;
        let session = Session::begin(user.id.clone(), sid, &request.client, now, &self.grants.sessions);
        let new = NewUser {
            address: application.address.lookup(),
            hash: &hash,
            user: &user,
            session: &session,
            kept_until: session.kept_until(&self.grants.sessions),
        };
        if self.store.create_user(&new).await? == Created::EmailTaken {
            return Err(self.email_taken(&request, now));
        }
        let entry = Entry::new(Event::Signup, Outcome::Success, &request.client, now);
        self.platform.audit.record(entry.of(&user.id).in_session(&session.id));
        let grant = self.grants.granter.grant(user, &session, now, &self.platform.random)?;
        Ok(Answer::tokens(&self.http, StatusCode::CREATED, &request, &grant))
    }

    /// The estimator is built while the connection waits for the network.
    async fn warm_up(&self) {
        let estimator = tokio::task::spawn_blocking(rules::build_estimator);
        let ((), _) = tokio::join!(self.store.connect_by_get_credential(), estimator);
    }
}

fn read(request: &Incoming) -> Result<Application, ApiError> {
    let mut fields = request.fields()?;
    let address = fields.address()?;
    let password = Password::new(&fields.text("password")?);
    let names = Names {
        display_name: names::read(&mut fields, "displayName")?.flatten(),
        first_name: names::read(&mut fields, "firstName")?.flatten(),
        last_name: names::read(&mut fields, "lastName")?.flatten(),
    };
    Ok(Application { address, password, names })
}

impl Signup {
    /// Counts the signup before the password is estimated or hashed, so that nobody buys our CPU time with a loop, and looks whether
    /// the address is free, so that a taken one costs no hash.
    async fn admit(
        &self,
        request: &Incoming,
        application: &Application,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let (store, audit, client) = (&self.store, &self.platform.audit, &request.client);
        let limiter = RateLimiter { store, audit, client, user: None, now };
        let networks = self.limits.networks(&client.ip);
        let (counted, credential) = tokio::join!(
            limiter.admit(&networks, "signup_ip", 1),
            self.store.credential(application.address.lookup())
        );
        counted?;
        let Application { address, password, names } = application;
        let checked = rules::check_for(address.as_str(), names, password, self.rules).await;
        checked.map_err(|error| ApiError::Internal(error.into()))??;
        if credential?.is_some() {
            return Err(self.email_taken(request, now));
        }
        Ok(())
    }

    fn email_taken(&self, request: &Incoming, now: Timestamp) -> ApiError {
        let entry = Entry::new(Event::Signup, Outcome::Failure, &request.client, now);
        self.platform.audit.record(entry.because("email_taken"));
        ApiError::EmailTaken
    }
}
