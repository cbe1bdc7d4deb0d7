//! `GET /auth/me` and `PATCH /auth/me`: the user, and changes of their names. One request to the table each.
//!
//! The authorizer in front has checked the token and its session; this function reads whom it let through and holds no key.

use auth_core::Platform;
use auth_core::audit::{Entry, Event, Outcome};
use auth_core::config::{self, Faults, HttpConfig, Lookup, StoreConfig};
use auth_core::http::{Answer, ApiError, Endpoint, HttpFunction, Incoming, Principal, names};
use auth_core::store::{NamesChange, NamesChanged, Store};
use auth_core::user::{User, UserStatus};
use lambda_http::http::Method;

/// The endpoint.
pub struct Me {
    http: HttpConfig,
    store: Store,
    platform: Platform,
}

/// Builds the function.
///
/// # Errors
///
/// Every fault of the environment.
pub fn build(lookup: &Lookup<'_>, platform: Platform) -> Result<HttpFunction<Me>, Faults> {
    config::from_lookup(lookup, |settings| {
        let http = HttpConfig::read(settings);
        let store = Store::new(&StoreConfig::read(settings));
        Some(HttpFunction::new(Me { http: http.clone(), store, platform }, &http))
    })
}

impl Endpoint for Me {
    async fn answer(&self, request: Incoming) -> Result<Answer, ApiError> {
        let principal = request.principal()?;
        let user = match (&request.method, request.path.as_str()) {
            (&Method::GET, "/auth/me") => self.show(principal).await?,
            (&Method::PATCH, "/auth/me") => self.change(&request, principal).await?,
            _ => return Err(ApiError::NotFound),
        };
        Ok(Answer::user(&self.http, &user))
    }

    async fn warm_up(&self) {
        self.store.connect_by_get_user().await;
    }
}

impl Me {
    async fn show(&self, principal: &Principal) -> Result<User, ApiError> {
        match self.store.user(&principal.user).await? {
            Some(user) if user.status == UserStatus::Active => Ok(user),
            Some(_) => Err(ApiError::DISABLED),
            None => Err(ApiError::InvalidToken),
        }
    }

    async fn change(&self, request: &Incoming, principal: &Principal) -> Result<User, ApiError> {
        let mut fields = request.fields()?;
        let change = NamesChange {
            display_name: names::read(&mut fields, "displayName")?,
            first_name: names::read(&mut fields, "firstName")?,
            last_name: names::read(&mut fields, "lastName")?,
        };
        if change == NamesChange::default() {
            let what = "Give at least one of displayName, firstName and lastName.";
            return Err(ApiError::InvalidRequest(what.to_owned()));
        }
        let user = match self.store.change_names(&principal.user, &change).await? {
            NamesChanged::Done(user) => user,
            NamesChanged::DisabledUser => return Err(ApiError::DISABLED),
            // A user who is gone has no valid token.
            NamesChanged::UnknownUser => return Err(ApiError::InvalidToken),
        };
        let now = self.platform.clock.now();
        let entry = Entry::new(Event::ProfileChanged, Outcome::Success, &request.client, now);
        self.platform.audit.record(entry.of(&principal.user).in_session(&principal.session));
        Ok(user)
    }
}
