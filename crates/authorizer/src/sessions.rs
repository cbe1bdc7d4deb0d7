//! What the table says about a request whose token is valid: whether its session lives, and what the next tokens are made of.

use std::future::Future;

use auth_core::Platform;
use auth_core::clock::Timestamp;
use auth_core::config::{SessionCheckConfig, Settings};
use auth_core::redeem::RedeemError;
use auth_core::session::Session;
use auth_core::store::{Store, StoreError};
use auth_core::token::access::AccessClaims;
use auth_core::user::{User, UserStatus};

use crate::AuthorizerError;
use crate::answer::Renewed;
use crate::event::Event;
use crate::record::refuse;
use crate::renewal::{Due, Renewal};

/// What has yet to be found out once a token is valid. A type, so that a function that finds out nothing is linked with no client
/// of the table.
pub trait SessionCheck: Send + Sync + 'static {
    /// Refuses a request whose session has ended, and renews the token if it is about to end.
    fn check(
        &self,
        event: &Event,
        claims: &AccessClaims,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Renewed>, AuthorizerError>> + Send;

    /// Opens the connection to the table.
    fn connect(&self) -> impl Future<Output = ()> + Send;
}

/// No session is looked at: an access token holds until it ends.
#[derive(Clone, Copy, Debug)]
pub struct TokenAlone;

impl SessionCheck for TokenAlone {
    async fn check(
        &self,
        _: &Event,
        _: &AccessClaims,
        _: Timestamp,
    ) -> Result<Option<Renewed>, AuthorizerError> {
        Ok(None)
    }

    async fn connect(&self) {}
}

/// The sessions in the table.
#[expect(missing_debug_implementations, reason = "it holds keys")]
pub struct Sessions {
    store: Store,
    /// Whether the session of every access token is looked at.
    checked: bool,
    renewal: Option<Renewal>,
    platform: Platform,
}

impl Sessions {
    /// Reads where sessions are and what is renewed. `None` if none is ever looked at.
    pub(crate) fn read(settings: &mut Settings<'_>, platform: &Platform) -> Option<Self> {
        let config = SessionCheckConfig::read(settings)?;
        let store = Store::new(&config.store);
        let renewal = Renewal::read(settings, config.renewal, &store, platform);
        Some(Self { store, checked: config.session_check, renewal, platform: platform.clone() })
    }

    /// Looks at the session of a valid token, and renews the token if it is about to end.
    async fn check_and_renew(
        &self,
        event: &Event,
        claims: &AccessClaims,
        now: Timestamp,
    ) -> Result<Option<Renewed>, AuthorizerError> {
        let renewal = self.renewal.as_ref().and_then(|renewal| renewal.due(event, claims, now));
        let session = self.store.session(&claims.sub, &claims.sid);
        // Both reads at once; and before anything is written, so that one that fails leaves the tokens as good as they were.
        let (session, renewal) = match renewal {
            Some(due) => {
                let both = async { tokio::join!(session, self.store.user(&claims.sub)) };
                let (session, user) = Box::pin(both).await;
                (session, Some((due, user)))
            }
            None if self.checked => (session.await, None),
            None => return Ok(None),
        };
        let session = match session {
            Ok(Some(session)) if session.ended(now).is_none() => session,
            refused if self.checked => return Err(self.not_live(event, claims, refused, now)),
            _ => return Ok(None),
        };
        match renewal {
            Some((due, user)) => Box::pin(self.renew(event, due, &session, user, now)).await,
            None => Ok(None),
        }
    }

    async fn renew(
        &self,
        event: &Event,
        due: Due<'_>,
        session: &Session,
        user: Result<Option<User>, StoreError>,
        now: Timestamp,
    ) -> Result<Option<Renewed>, AuthorizerError> {
        let user = match user {
            Ok(Some(user)) if user.status == UserStatus::Active => user,
            Ok(user) => {
                let reason = if user.is_some() { "user_disabled" } else { "unknown_user" };
                return Err(refuse(&self.platform, event, Some(due.claims()), reason, now));
            }
            Err(error) => return Ok(not_renewed(&error)),
        };
        match due.renew(session, user, now).await {
            Ok(renewed) => Ok(renewed),
            // Redeeming it has written the audit line, and ended the session.
            Err(RedeemError::Reused) => Err(AuthorizerError::Unauthorized),
            Err(RedeemError::ReuseNotEnded(error)) => Err(AuthorizerError::SessionUnknown(error)),
            Err(error) => Ok(not_renewed(&error)),
        }
    }

    /// What a session is refused with that was not found live.
    fn not_live(
        &self,
        event: &Event,
        claims: &AccessClaims,
        session: Result<Option<Session>, StoreError>,
        now: Timestamp,
    ) -> AuthorizerError {
        match session {
            Ok(None) => refuse(&self.platform, event, Some(claims), "unknown_session", now),
            Ok(Some(_)) => refuse(&self.platform, event, Some(claims), "session_ended", now),
            Err(error) => AuthorizerError::SessionUnknown(error),
        }
    }
}

/// Nothing where `SESSION_CHECK` and `RENEWAL` are off. What there is, is boxed: the SDK's futures are large, and a future is moved
/// whole, also for a request that never reads the table.
impl SessionCheck for Option<Sessions> {
    async fn check(
        &self,
        event: &Event,
        claims: &AccessClaims,
        now: Timestamp,
    ) -> Result<Option<Renewed>, AuthorizerError> {
        match self {
            Some(sessions) => Box::pin(sessions.check_and_renew(event, claims, now)).await,
            None => Ok(None),
        }
    }

    async fn connect(&self) {
        if let Some(sessions) = self {
            Box::pin(sessions.store.connect_by_get_user()).await;
        }
    }
}

/// The request goes on with the token that it brought.
fn not_renewed<T>(error: &dyn std::error::Error) -> Option<T> {
    tracing::warn!(cause = %error, "the tokens were not renewed");
    None
}
