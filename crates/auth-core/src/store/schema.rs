//! The table: every key and attribute name that it has, in one place.
//!
//! | item | `pk` | `sk` |
//! |---|---|---|
//! | credential | `EMAIL#<address>` | `CREDENTIAL` |
//! | user | `USER#<id>` | `PROFILE` |
//! | session | `USER#<id>` | `SESSION#<sid>` |
//! | live session | `LIVE#<user id>` | `<sid>` |
//! | limit | `LIMIT#<kind>#<digest>` | `COUNT` |
//! | failures | `LIMIT#<kind>#<digest>#streak` | `COUNT` |
//!
//! A live session has two items. Records of ended sessions are kept; the second item is deleted when the session is revoked, so that
//! listing the live sessions of a user reads no ended one (`live`). It has a partition of its own: a function that may delete it
//! may delete no user. Ids of sessions begin with a fixed prefix ([`crate::session::INDEXED`]); records whose ids do not are of
//! the first edition, which wrote no second item, and are the sort keys below [`INDEXED_RECORDS`].
//!
//! The template's policies name the beginnings of `pk` that each function asks for, by action.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::address::LookupAddress;
use crate::limits::LimitKey;
use crate::session::SessionId;
use crate::user::UserId;

pub(super) const PK: &str = "pk";
pub(super) const SK: &str = "sk";
/// The table's time to live, in epoch seconds.
pub(super) const EXPIRES_AT: &str = "expires_at";

pub(super) const USER_ID: &str = "user_id";
pub(super) const PASSWORD_HASH: &str = "password_hash";
/// Moved by every password change; absent is 0.
pub(super) const SERIAL: &str = "serial";
pub(super) const CHANGED_AT: &str = "changed_at";
pub(super) const CHANGED_BY: &str = "changed_by";
pub(super) const CHANGED_TO: &str = "changed_to";

pub(super) const EMAIL: &str = "email";
pub(super) const EMAIL_VERIFIED: &str = "email_verified";
pub(super) const DISPLAY_NAME: &str = "display_name";
pub(super) const FIRST_NAME: &str = "first_name";
pub(super) const LAST_NAME: &str = "last_name";
pub(super) const STATUS: &str = "status";
pub(super) const STATUS_ACTIVE: &str = "active";
pub(super) const STATUS_DISABLED: &str = "disabled";
/// Moved by disabling the user and by revoke-all; absent is 0.
pub(super) const SESSIONS_SERIAL: &str = "sessions_serial";
pub(super) const CREATED_AT: &str = "created_at";

pub(super) const GENERATION: &str = "generation";
pub(super) const ROTATED_AT: &str = "rotated_at";
pub(super) const ROTATED_BY: &str = "rotated_by";
pub(super) const IDEMPOTENCY_DIGEST: &str = "idempotency_digest";
pub(super) const RETRIES: &str = "retries";
pub(super) const RETRIES_OF: &str = "retries_of";
pub(super) const REPLAYED_AT: &str = "replayed_at";
pub(super) const REPLAY_IP: &str = "replay_ip";
pub(super) const REPLAY_USER_AGENT: &str = "replay_user_agent";
pub(super) const IDLE_ENDS_AT: &str = "idle_ends_at";
pub(super) const ABSOLUTE_ENDS_AT: &str = "absolute_ends_at";
pub(super) const REVOKED_AT: &str = "revoked_at";
pub(super) const REVOKED_REASON: &str = "revoked_reason";
pub(super) const REVOKED_BY: &str = "revoked_by";
pub(super) const CREATED_IP: &str = "created_ip";
pub(super) const CREATED_USER_AGENT: &str = "created_user_agent";
pub(super) const LAST_USED_AT: &str = "last_used_at";
pub(super) const LAST_IP: &str = "last_ip";
pub(super) const LAST_USER_AGENT: &str = "last_user_agent";

pub(super) const HITS: &str = "hits";
pub(super) const COUNTED_BY: &str = "counted_by";
/// The hits of a slot are in an attribute of this and its first second.
pub(super) const SLOT_PREFIX: &str = "t";
pub(super) const LOCKED_UNTIL: &str = "locked_until";
pub(super) const LOCKED_BY: &str = "locked_by";

const CREDENTIALS: &str = "EMAIL#";
const USERS: &str = "USER#";
pub(super) const CREDENTIAL: &str = "CREDENTIAL";
const PROFILE: &str = "PROFILE";
const LIVE: &str = "LIVE#";
pub(super) const SESSION_PREFIX: &str = "SESSION#";
/// Where the records of indexed sessions begin.
pub(super) const INDEXED_RECORDS: &str = "SESSION#zzzzzz";

pub(super) type Key = HashMap<String, AttributeValue>;

/// The key of a new credential.
pub(super) fn credential_key(address: &LookupAddress) -> Key {
    credential_key_of(address.as_str())
}

/// The keys that a credential of `address` may have: see [`LookupAddress::keys`].
pub(super) fn credential_keys(address: &LookupAddress) -> [Option<Key>; 3] {
    address.keys().map(|key| key.map(credential_key_of))
}

fn credential_key_of(address: &str) -> Key {
    key(format!("{CREDENTIALS}{address}"), CREDENTIAL.into())
}

/// The address that `pk` is the credential of.
pub(super) fn credential_address(pk: &str) -> Option<&str> {
    pk.strip_prefix(CREDENTIALS)
}

/// Of no credential: no address is empty.
pub(super) fn no_credential_key() -> Key {
    key(CREDENTIALS.into(), CREDENTIAL.into())
}

pub(super) fn user_partition(user: &UserId) -> String {
    format!("{USERS}{user}")
}

/// Of no user: no id is empty.
pub(super) fn no_user_partition() -> String {
    USERS.into()
}

pub(super) fn user_key(user: &UserId) -> Key {
    key(user_partition(user), PROFILE.into())
}

pub(super) fn no_user_key() -> Key {
    key(no_user_partition(), PROFILE.into())
}

pub(super) fn session_key(user: &UserId, sid: &SessionId) -> Key {
    key(user_partition(user), format!("{SESSION_PREFIX}{sid}"))
}

pub(super) fn live_partition(user: &UserId) -> String {
    format!("{LIVE}{user}")
}

pub(super) fn live_key(user: &UserId, sid: &SessionId) -> Key {
    key(live_partition(user), sid.to_string())
}

pub(super) fn limit_key(limit: &LimitKey) -> Key {
    key(format!("LIMIT#{limit}"), "COUNT".into())
}

fn key(pk: String, sk: String) -> Key {
    HashMap::from([(PK.to_owned(), AttributeValue::S(pk)), (SK.to_owned(), AttributeValue::S(sk))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_records_of_indexed_sessions_begin_with_their_prefix() {
        assert_eq!(INDEXED_RECORDS, format!("{SESSION_PREFIX}{}", crate::session::INDEXED));
    }
}
