//! A session as an item and back.

use super::StoreError;
use super::item::{
    Item, number, optional_number, optional_text, optional_texts, optional_time, put_optional, read_number,
    read_text, read_time, text, time,
};
use super::schema::{
    ABSOLUTE_ENDS_AT, CREATED_AT, CREATED_IP, CREATED_USER_AGENT, EXPIRES_AT, GENERATION, IDEMPOTENCY_DIGEST,
    IDLE_ENDS_AT, LAST_IP, LAST_USED_AT, LAST_USER_AGENT, REPLAY_IP, REPLAY_USER_AGENT, REPLAYED_AT, RETRIES,
    RETRIES_OF, REVOKED_AT, REVOKED_REASON, ROTATED_AT, ROTATED_BY, session_key,
};
use crate::client::Client;
use crate::clock::Timestamp;
use crate::session::{
    Generation, IdempotencyDigest, Replay, Retries, RetryMark, Revocation, RevocationReason, Session,
    SessionId,
};
use crate::user::UserId;

/// The item of a new session.
pub(super) fn encode(session: &Session, kept_until: Timestamp) -> Item {
    let mut item = session_key(&session.user, &session.id);
    let mut put = |name: &str, value| item.insert(name.to_owned(), value);
    put(GENERATION, number(session.generation.number()));
    put(ROTATED_AT, time(session.rotated_at));
    put(ROTATED_BY, text(&session.rotated_by));
    put(CREATED_AT, time(session.created_at));
    put(IDLE_ENDS_AT, time(session.idle_ends_at));
    put(ABSOLUTE_ENDS_AT, time(session.absolute_ends_at));
    put(CREATED_IP, text(&session.created_by.ip));
    put(CREATED_USER_AGENT, text(&session.created_by.user_agent));
    put(LAST_USED_AT, time(session.last_used_at));
    put(LAST_IP, text(&session.last_used_by.ip));
    put(LAST_USER_AGENT, text(&session.last_used_by.user_agent));
    put(EXPIRES_AT, time(kept_until));
    let digest = session.idempotency.as_ref().map(|digest| digest.as_str().to_owned());
    put_optional(&mut item, IDEMPOTENCY_DIGEST, digest.as_ref());
    item
}

/// The repetitions that were counted for the generation that the session is at. Function versions that know no count leave
/// those of an earlier one behind when they rotate a session.
fn retries(item: &Item, generation: Generation) -> Result<Retries, StoreError> {
    if optional_number(item, RETRIES_OF)? != Some(generation.number()) {
        return Ok(Retries::new());
    }
    Ok(optional_texts(item, RETRIES)?.iter().map(|mark| RetryMark::from_stored(mark)).collect())
}

pub(super) fn decode(user: &UserId, sid: &SessionId, item: &Item) -> Result<Session, StoreError> {
    let client =
        |ip, agent| Ok::<_, StoreError>(Client::new(&read_text(item, ip)?, &read_text(item, agent)?, ""));
    let revoked = optional_time(item, REVOKED_AT)?.map(|at| {
        let reason = optional_text(item, REVOKED_REASON).ok().flatten().unwrap_or_default();
        Revocation { at, reason: RevocationReason::parse(&reason) }
    });
    let generation = Generation::from_number(read_number(item, GENERATION)?);
    let replay = |at| Ok::<_, StoreError>(Replay { at, by: client(REPLAY_IP, REPLAY_USER_AGENT)? });
    Ok(Session {
        user: user.clone(),
        id: sid.clone(),
        generation,
        retries: retries(item, generation)?,
        last_replay: optional_time(item, REPLAYED_AT)?.map(replay).transpose()?,
        rotated_at: read_time(item, ROTATED_AT)?,
        rotated_by: read_text(item, ROTATED_BY)?,
        idempotency: optional_text(item, IDEMPOTENCY_DIGEST)?.as_deref().map(IdempotencyDigest::from_stored),
        created_at: read_time(item, CREATED_AT)?,
        idle_ends_at: read_time(item, IDLE_ENDS_AT)?,
        absolute_ends_at: read_time(item, ABSOLUTE_ENDS_AT)?,
        revoked,
        created_by: client(CREATED_IP, CREATED_USER_AGENT)?,
        last_used_at: read_time(item, LAST_USED_AT)?,
        last_used_by: client(LAST_IP, LAST_USER_AGENT)?,
    })
}
