//! A refresh token is redeemed: presented to its session for the next one (RFC 6749 §6).
//!
//! Top to bottom: the token is checked without a database call, the user is read, and the token is presented to its session
//! in one conditional write. What the write says decides: see the table in [`crate::session::rotation`]. The refresh endpoint
//! and the authorizer's renewal are the two that redeem.

use crate::Platform;
use crate::audit::{Entry, Event, Outcome};
use crate::client::Client;
use crate::clock::Timestamp;
use crate::config::{Grants, Settings};
use crate::grant::{Grant, GrantError};
use crate::selection::{self, NamedSession};
use crate::session::policy::RetryPolicy;
use crate::session::rotation::{Decision, Presented, decide};
use crate::session::{Ended, Foreign, IdempotencyDigest, Revocation, RevocationReason, Session};
use crate::store::{CountReplay, ReplayCounted, Rotate, Rotated, Store, StoreError};
use crate::token::refresh::RefreshClaims;
use crate::user::{User, UserStatus};

/// Redeems refresh tokens.
pub struct Redeemer {
    grants: Grants,
    retries: RetryPolicy,
    store: Store,
    platform: Platform,
}

/// A refresh token whose signature has been checked, and the request that presents it.
#[derive(Clone, Copy)]
pub struct Redemption<'a> {
    /// What the token says.
    pub claims: &'a RefreshClaims,
    /// The digest of the request's `Idempotency-Key`.
    pub idempotency: Option<&'a IdempotencyDigest>,
    /// When the valid access token was issued that came with it, if one did.
    pub access_issued_at: Option<Timestamp>,
    /// Who presents it.
    pub client: &'a Client,
}

/// Why a refresh token is not redeemed.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// It is malformed, forged, expired, or of a session that is over or unknown. Nothing has changed.
    #[error("the refresh token is refused")]
    Refused,
    /// It was superseded: somebody holds a copy. Its session has been ended.
    #[error("the refresh token was used before; its session has been ended")]
    Reused,
    /// It was superseded, and the table did not take the end of its session: the next presentation ends it.
    #[error("the refresh token was used before; its session could not be ended: {0}")]
    ReuseNotEnded(#[source] StoreError),
    /// The user may not sign in. The session has been ended.
    #[error("the user is disabled")]
    Disabled,
    /// The table gives no answer. Who presents the token again is answered as if it were the first time.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The next tokens could not be signed.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// The table refused a write that its own state allows.
    #[error("a live session refused its token")]
    Inconsistent,
}

/// Most decisions about one repetition. A count is refused at most twice: another request has counted the first one meanwhile,
/// then others as many as there may be.
const MOST_DECISIONS: usize = 3;

impl Redeemer {
    /// Reads the lifetimes and the keys of both tokens, and which repetitions are answered.
    pub fn read(settings: &mut Settings<'_>, store: Store, platform: Platform) -> Option<Self> {
        let retries = RetryPolicy::read(settings);
        Some(Self { grants: Grants::read(settings)?, retries, store, platform })
    }

    /// The table that sessions are in.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Checks the tokens that a request presents in one place, and selects the newest of one session. Several tokens are cookies.
    /// If they are of one session, there is no database call; otherwise each session is read ([`crate::selection`]).
    ///
    /// # Errors
    ///
    /// [`RedeemError::Refused`] if none is valid, or if nobody can tell which session is meant; [`RedeemError::Store`].
    pub async fn select(
        &self,
        tokens: &[String],
        named: impl FnOnce() -> Option<NamedSession>,
        client: &Client,
    ) -> Result<RefreshClaims, RedeemError> {
        let mut sessions = selection::newest_of_each_session(self.verify_each(tokens, client)?);
        if sessions.len() < 2 {
            return sessions.pop().ok_or(RedeemError::Refused);
        }
        let (named, now) = (named(), self.platform.clock.now());
        let mut live = Vec::new();
        for claims in sessions.into_iter().filter(|claims| selection::is_candidate(claims, named.as_ref())) {
            let session = self.store.session(&claims.sub, &claims.sid).await?;
            if session.is_some_and(|session| session.ended(now).is_none()) {
                live.push(claims);
            }
        }
        let reason = if live.is_empty() { "no_live_session" } else { "several_sessions" };
        selection::select(live, named.as_ref()).ok_or_else(|| self.worthless(reason, client))
    }

    /// What the valid ones among some tokens say.
    ///
    /// # Errors
    ///
    /// [`RedeemError::Refused`] if none is valid.
    pub fn verify_each(&self, tokens: &[String], client: &Client) -> Result<Vec<RefreshClaims>, RedeemError> {
        let now = self.platform.clock.now();
        let (mut valid, mut invalid) = (Vec::new(), None);
        for (index, token) in tokens.iter().enumerate() {
            // A REST API gives every cookie twice.
            if tokens.iter().take(index).any(|before| before == token) {
                continue;
            }
            match self.grants.refresh_keys.verify(token, now) {
                Ok(claims) => valid.push(claims),
                Err(error) => invalid = invalid.or(Some(error)),
            }
        }
        match invalid {
            Some(error) if valid.is_empty() => Err(self.worthless(error.as_str(), client)),
            _ => Ok(valid),
        }
    }

    fn worthless(&self, reason: &'static str, client: &Client) -> RedeemError {
        let now = self.platform.clock.now();
        let entry = Entry::new(Event::RefreshTokenRefused, Outcome::Failure, client, now);
        self.platform.audit.record(entry.because(reason));
        RedeemError::Refused
    }

    /// The token's user, if they may sign in. The session of one who may not ends here.
    ///
    /// The read comes before the write of [`Redeemer::redeem`], not beside it: if it fails nothing has happened yet, and the
    /// same token is as good as before whenever the client comes back.
    ///
    /// # Errors
    ///
    /// [`RedeemError::Disabled`], [`RedeemError::Refused`] if there is no such user, [`RedeemError::Store`].
    pub async fn user(&self, redemption: &Redemption<'_>) -> Result<User, RedeemError> {
        let user = self.store.user(&redemption.claims.sub).await?;
        let (reason, error) = match user {
            Some(user) if user.status == UserStatus::Active => return Ok(user),
            Some(_) => ("user_disabled", RedeemError::Disabled),
            None => ("unknown_user", RedeemError::Refused),
        };
        self.record(redemption, Event::RefreshTokenRefused, Outcome::Failure, reason);
        self.revoke(redemption, RevocationReason::UserDisabled).await?;
        Err(error)
    }

    /// Presents the token to its session. A refusal is recorded, and carried out before it is returned.
    ///
    /// # Errors
    ///
    /// Why there are no next tokens.
    pub async fn redeem(&self, redemption: &Redemption<'_>, user: User) -> Result<Grant, RedeemError> {
        let presented = Presented {
            generation: redemption.claims.generation,
            idempotency: redemption.idempotency.cloned(),
            access_issued_at: redemption.access_issued_at,
            invocation_id: redemption.client.invocation_id.clone(),
            // Not when the request came: the grace begins with the write.
            at: self.platform.clock.now(),
        };
        let rotate = Rotate {
            user: &redemption.claims.sub,
            sid: &redemption.claims.sid,
            presented: &presented,
            client: redemption.client,
            step: presented.step(&self.grants.sessions),
        };
        let (session, event) = match self.store.rotate(&rotate).await? {
            Rotated::Done(session) => (session, Event::RefreshTokenRotated),
            Rotated::Refused(session) => {
                (self.replay(redemption, &presented, session).await?, Event::RefreshTokenReplayed)
            }
            Rotated::Unknown => return Err(self.refused(redemption, "unknown_session")),
        };
        let grant = self.grants.granter.grant(user, &session, presented.at, &self.platform.random)?;
        self.record(redemption, event, Outcome::Success, "");
        if event == Event::RefreshTokenReplayed
            && let Some(foreign) = Foreign::between(&session.last_used_by, redemption.client)
        {
            self.record(redemption, Event::ForeignReplay, Outcome::Success, foreign.as_str());
        }
        Ok(grant)
    }

    /// The state that a repetition is answered from. Past the grace period it is counted before.
    async fn replay(
        &self,
        redemption: &Redemption<'_>,
        presented: &Presented,
        mut session: Session,
    ) -> Result<Session, RedeemError> {
        for _ in 0..MOST_DECISIONS {
            match decide(&session, presented, &self.retries) {
                Decision::Replay => return Ok(session),
                Decision::CountedReplay => {}
                refusal => return Err(self.refuse(redemption, refusal).await),
            }
            let (client, limit) = (redemption.client, self.retries.limit);
            let count = CountReplay { session: &session, presented, client, limit };
            session = match self.store.count_replay(&count).await? {
                ReplayCounted::Done(session) => return Ok(session),
                ReplayCounted::Refused(session) => session,
                ReplayCounted::Unknown => return Err(self.refused(redemption, "unknown_session")),
            };
        }
        Err(RedeemError::Inconsistent)
    }

    /// A reuse is recorded before the session is ended, and answered after: if that write fails, the caller is told to come
    /// back, and the operator knows all the same.
    async fn refuse(&self, redemption: &Redemption<'_>, decision: Decision) -> RedeemError {
        match decision {
            Decision::Reuse(reason) => {
                self.record(redemption, Event::RefreshTokenReused, Outcome::Failure, reason.as_str());
                match self.revoke(redemption, RevocationReason::Reuse).await {
                    Ok(()) => RedeemError::Reused,
                    Err(error) => RedeemError::ReuseNotEnded(error),
                }
            }
            Decision::Ended(Ended::Revoked(_)) => self.refused(redemption, "revoked"),
            Decision::Ended(Ended::Idle) => self.refused(redemption, "idle_end"),
            Decision::Ended(Ended::Absolute) => self.refused(redemption, "absolute_end"),
            Decision::Unknown => self.refused(redemption, "unknown_generation"),
            // The state that refused a write does not ask for it: the condition and `decide` say the same.
            Decision::Rotate | Decision::Replay | Decision::CountedReplay => RedeemError::Inconsistent,
        }
    }

    async fn revoke(&self, redemption: &Redemption<'_>, reason: RevocationReason) -> Result<(), StoreError> {
        let revocation = Revocation { at: self.platform.clock.now(), reason };
        let (claims, by) = (redemption.claims, &redemption.client.invocation_id);
        self.store.revoke_record(&claims.sub, &claims.sid, revocation, by).await
    }

    fn refused(&self, redemption: &Redemption<'_>, reason: &'static str) -> RedeemError {
        self.record(redemption, Event::RefreshTokenRefused, Outcome::Failure, reason);
        RedeemError::Refused
    }

    fn record(&self, redemption: &Redemption<'_>, event: Event, outcome: Outcome, reason: &'static str) {
        let entry = Entry::new(event, outcome, redemption.client, self.platform.clock.now());
        let entry = entry.of(&redemption.claims.sub).in_session(&redemption.claims.sid);
        self.platform.audit.record(if reason.is_empty() { entry } else { entry.because(reason) });
    }
}
