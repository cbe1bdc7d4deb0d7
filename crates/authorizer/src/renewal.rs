//! Automatic renewal: the next tokens for a request whose access token is about to end.
//!
//! They travel in the authorizer's context; the function behind it turns them into headers. A renewal never makes a request
//! fail that its access token lets through, but for two: the refresh token in it was used before, or its user is disabled.

use std::time::Duration;

use auth_core::Platform;
use auth_core::audit::{Entry, Event as AuditEvent, Outcome};
use auth_core::client::Client;
use auth_core::clock::Timestamp;
use auth_core::config::{
    CookieConfig, RenewalConfig, RenewalMode, Settings, TokenDelivery, read_access_issuer, read_delivery,
};
use auth_core::grant::{Grant, GrantError};
use auth_core::http::cookie::REFRESH_TOKEN;
use auth_core::redeem::{RedeemError, Redeemer, Redemption};
use auth_core::session::{IdempotencyDigest, Session};
use auth_core::store::Store;
use auth_core::token::access::{AccessClaims, AccessIssuer};
use auth_core::token::refresh::RefreshClaims;
use auth_core::user::User;

use crate::answer::Renewed;
use crate::event::Event;

/// Renews tokens.
pub(crate) struct Renewal {
    window: Duration,
    how: How,
    platform: Platform,
}

enum How {
    Access(AccessIssuer),
    Rotate { redeemer: Box<Redeemer>, issuer: AccessIssuer, cookies: Option<CookieConfig> },
}

impl Renewal {
    /// Reads what tokens are made with. `None` if nothing is renewed, and after a fault.
    pub(crate) fn read(
        settings: &mut Settings<'_>,
        config: RenewalConfig,
        store: &Store,
        platform: &Platform,
    ) -> Option<Self> {
        let how = match config.mode {
            RenewalMode::Off => return None,
            RenewalMode::Access => How::Access(read_access_issuer(settings)?),
            RenewalMode::Rotate => {
                let cookies = CookieConfig::read(settings);
                let cookies = (read_delivery(settings) == TokenDelivery::Cookie).then_some(cookies);
                let issuer = read_access_issuer(settings);
                let redeemer = Redeemer::read(settings, store.clone(), platform.clone())?;
                How::Rotate { redeemer: Box::new(redeemer), issuer: issuer?, cookies }
            }
        };
        Some(Self { window: config.window, how, platform: platform.clone() })
    }

    /// What is to be done for a request with a valid access token, if anything. It makes no request to the table.
    pub(crate) fn due<'a>(
        &'a self,
        event: &Event,
        access: &'a AccessClaims,
        now: Timestamp,
    ) -> Option<Due<'a>> {
        // The answer to a WebSocket's `$connect` has no headers of a function's.
        if access.exp.since(now) > self.window || event.is_websocket() {
            return None;
        }
        let caller = Caller { access, client: event.client(), platform: &self.platform };
        let step = match &self.how {
            How::Access(issuer) => Step::Mint(issuer),
            How::Rotate { redeemer, issuer, cookies } => {
                Step::Redeem(redeemer, issuer, caller.presented(event, redeemer, cookies.as_ref())?)
            }
        };
        Some(Due { caller, step, window: self.window })
    }
}

/// A renewal that is to be done once the session and the user are known to be good.
pub(crate) struct Due<'a> {
    caller: Caller<'a>,
    step: Step<'a>,
    window: Duration,
}

enum Step<'a> {
    Mint(&'a AccessIssuer),
    Redeem(&'a Redeemer, &'a AccessIssuer, Presented<'a>),
}

/// The refresh token that came with the request.
struct Presented<'a> {
    claims: RefreshClaims,
    idempotency: IdempotencyDigest,
    /// With cookie delivery, how the next cookie is written, and the base path that the browser sees.
    cookie: Option<(&'a CookieConfig, String)>,
}

impl<'a> Due<'a> {
    /// What the access token says.
    pub(crate) const fn claims(&self) -> &'a AccessClaims {
        self.caller.access
    }

    /// Renews the tokens of a live session. `None` if there is nothing to gain, as the session ends when the token does.
    pub(crate) async fn renew(
        self,
        session: &Session,
        user: User,
        now: Timestamp,
    ) -> Result<Option<Renewed>, RedeemError> {
        match &self.step {
            Step::Mint(issuer) => self.caller.mint(issuer, session, &user, now),
            Step::Redeem(_, issuer, presented) if self.is_fresh(presented, session, now) => {
                self.caller.mint(issuer, session, &user, now)
            }
            Step::Redeem(redeemer, _, presented) if session.absolute_ends_at > self.caller.access.exp => {
                let redemption = Redemption {
                    claims: &presented.claims,
                    idempotency: Some(&presented.idempotency),
                    access_issued_at: Some(self.caller.access.iat),
                    client: &self.caller.client,
                };
                let grant = redeemer.redeem(&redemption, user).await?;
                Ok(Some(hand_over(grant, presented.cookie.as_ref())))
            }
            Step::Redeem(..) => Ok(None),
        }
    }

    /// Whether the refresh token is the current one and has just been rotated. Rotating it again would leave whoever still holds
    /// the one before it, beside the old access token, two steps behind.
    fn is_fresh(&self, presented: &Presented<'_>, session: &Session, now: Timestamp) -> bool {
        presented.claims.generation == session.generation && now.since(session.rotated_at) < self.window
    }
}

/// Whose tokens are renewed.
struct Caller<'a> {
    access: &'a AccessClaims,
    client: Client,
    platform: &'a Platform,
}

impl<'a> Caller<'a> {
    /// The session's refresh token, if the request carries it.
    fn presented(
        &self,
        event: &Event,
        redeemer: &Redeemer,
        cookies: Option<&'a CookieConfig>,
    ) -> Option<Presented<'a>> {
        let (tokens, cookie) = match cookies {
            None => (vec![event.refresh_token()?.to_owned()], None),
            Some(cookies) => {
                // The functions of other routes may not hand the successor over, and with `__Host-` a browser sends the cookie to
                // all of them.
                let base_path = cookies.public_base_path(event.base_path()?).to_owned();
                (event.refresh_cookies(cookies), Some((cookies, base_path)))
            }
        };
        if tokens.is_empty() {
            return None;
        }
        // Of several cookies, the one that belongs to the access token.
        let valid = redeemer.verify_each(&tokens, &self.client).ok()?.into_iter();
        let own = valid.filter(|claims| (&claims.sub, &claims.sid) == (&self.access.sub, &self.access.sid));
        let Some(claims) = own.max_by_key(|claims| claims.generation) else {
            let entry = self.entry(AuditEvent::RefreshTokenRefused, Outcome::Failure);
            self.platform.audit.record(entry.because("other_session"));
            return None;
        };
        let idempotency = match event.idempotency_key() {
            // An honest repetition brings the same pair of tokens, for as long as its access token is valid: a slow function, a
            // lost answer or an aborted request is no theft. A copy of the refresh token alone is.
            None => IdempotencyDigest::of_access_token(&claims.sid, &self.access.jti),
            // Without the key that the client counts on, a repetition could sign it out.
            Some(key) => IdempotencyDigest::of(&claims.sid, key.as_bytes())?,
        };
        Some(Presented { claims, idempotency, cookie })
    }

    fn mint(
        &self,
        issuer: &AccessIssuer,
        session: &Session,
        user: &User,
        now: Timestamp,
    ) -> Result<Option<Renewed>, RedeemError> {
        let next = issuer.issue(user, &session.id, session.ends_at(), now, &self.platform.random);
        let next = next.map_err(GrantError::from)?;
        // An access token that lasts as long as its refresh token would leave a client that refreshes late with neither.
        let cut_by_idle_end =
            session.idle_ends_at < session.absolute_ends_at && next.expires_at == session.idle_ends_at;
        if next.expires_at <= self.access.exp || cut_by_idle_end {
            return Ok(None);
        }
        self.platform.audit.record(self.entry(AuditEvent::AccessTokenRenewed, Outcome::Success));
        let new_access_token = next.token;
        Ok(Some(Renewed { new_access_token, new_refresh_token: None, new_refresh_cookie: None }))
    }

    fn entry(&self, event: AuditEvent, outcome: Outcome) -> Entry {
        let entry = Entry::new(event, outcome, &self.client, self.platform.clock.now());
        entry.of(&self.access.sub).in_session(&self.access.sid)
    }
}

fn hand_over(grant: Grant, cookie: Option<&(&CookieConfig, String)>) -> Renewed {
    let (new_refresh_token, new_refresh_cookie) = match cookie {
        None => (Some(grant.refresh_token), None),
        Some((cookies, base_path)) => {
            let rest = grant.refresh_expires_at.since(grant.issued_at);
            let cookie = cookies.set(REFRESH_TOKEN, base_path, &grant.refresh_token, rest);
            (None, cookie.and_then(|cookie| cookie.to_str().ok().map(str::to_owned)))
        }
    };
    Renewed { new_access_token: grant.access.token, new_refresh_token, new_refresh_cookie }
}
