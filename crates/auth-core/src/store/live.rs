//! The index of live sessions: one small item for each session that has begun and was not revoked.
//!
//! Records of ended sessions stay for `AUDIT_RETENTION`. Listing what is live must not read them, so each session has an item in the
//! user's partition `LIVE#<user id>` as well, which is deleted when the session is revoked.
//!
//! The two items of a session are separate writes. The order in which they land does not matter:
//!
//! - At the begin both are written before the login reads credential and user again, and tokens are made after that. Whoever lists the
//!   sessions later finds the session in the index. Whoever listed them earlier has moved a serial first, which the login finds
//!   ([`crate::credential`]).
//! - At the end the record is written first. If the deletion of the index item fails, the item is stale, which is harmless: whoever
//!   meets it looks at the record. A second try of the SDK that lands late leaves a stale item, too.
//! - An item without a record may be of a login that is under way: it is deleted only when it is older than any request.
//!
//! Sessions of the first edition have no index item. Their ids have no `zzzzzz` prefix: they are in a key range of their own,
//! which is nearly empty once they have expired.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::item::{Item, read_text, read_time, text, time};
use super::schema::{CREATED_AT, EXPIRES_AT, SK, live_key, live_partition, session_key};
use super::session_item::decode;
use super::sessions::session_id;
use super::{Store, StoreError};
use crate::clock::Timestamp;
use crate::session::{Session, SessionId};
use crate::user::UserId;

/// Keys of one `BatchGetItem` (Amazon DynamoDB API Reference).
const BATCH: usize = 100;

/// Tries of a batch of which a part was throttled, and the pause before each.
const BATCH_TRIES: u32 = 4;
const BATCH_PAUSE: Duration = Duration::from_millis(50);

/// An item of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indexed {
    /// The session.
    pub id: SessionId,
    /// When it began.
    pub created_at: Timestamp,
}

/// The live sessions of a user as far as they were read.
#[derive(Clone, Debug, Default)]
pub struct LiveSessions {
    /// Those in the index.
    pub indexed: Vec<Indexed>,
    /// Those of the first edition that nobody has revoked.
    pub first_edition: Vec<Session>,
}

impl LiveSessions {
    /// How many there are, stale items included.
    pub const fn len(&self) -> usize {
        self.indexed.len() + self.first_edition.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Store {
    pub(super) async fn put_live(&self, session: &Session) -> Result<(), StoreError> {
        self.client.put_item().table_name(&self.table).set_item(Some(encode(session))).send().await?;
        Ok(())
    }

    /// Deletes the index item of a session that is over.
    ///
    /// # Errors
    ///
    /// If DynamoDB is unavailable.
    pub async fn delete_live(&self, user: &UserId, sid: &SessionId) -> Result<(), StoreError> {
        self.client.delete_item().table_name(&self.table).set_key(Some(live_key(user, sid))).send().await?;
        Ok(())
    }

    /// The live sessions of `user`: of the index all, of the first edition those of one page. So a login reads no more than 1 MB of
    /// records that the first edition has left.
    ///
    /// # Errors
    ///
    /// If DynamoDB is unavailable.
    pub async fn live_sessions(&self, user: &UserId) -> Result<LiveSessions, StoreError> {
        let (indexed, page) = tokio::join!(self.indexed(user), self.first_edition(user).send());
        let page = page?.items.unwrap_or_default();
        Ok(LiveSessions { indexed: indexed?, first_edition: Self::readable(user, page) })
    }

    /// Every item of the index.
    ///
    /// # Errors
    ///
    /// If DynamoDB is unavailable.
    pub async fn indexed(&self, user: &UserId) -> Result<Vec<Indexed>, StoreError> {
        let mut pages = self.index(user).into_paginator().items().send();
        let mut indexed = Vec::new();
        while let Some(item) = pages.next().await {
            indexed.push(decode_live(&item?)?);
        }
        Ok(indexed)
    }

    pub(super) fn index(&self, user: &UserId) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :live")
            .expression_attribute_values(":live", text(live_partition(user)))
            .consistent_read(true)
    }

    /// The records of these sessions. One that cannot be read is left out and logged, as in [`Store::sessions`].
    ///
    /// # Errors
    ///
    /// If DynamoDB is unavailable.
    pub async fn records(&self, user: &UserId, sids: &[SessionId]) -> Result<Vec<Session>, StoreError> {
        let mut records = Vec::with_capacity(sids.len());
        for batch in sids.chunks(BATCH) {
            records.extend(Self::readable(user, self.batch(user, batch).await?));
        }
        Ok(records)
    }

    async fn batch(&self, user: &UserId, sids: &[SessionId]) -> Result<Vec<Item>, StoreError> {
        let keys: Vec<_> = sids.iter().map(|sid| session_key(user, sid)).collect();
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
        let wanted = wanted.map_err(|error| StoreError::Refused(error.into()))?;
        let mut wanted = HashMap::from([(self.table.clone(), wanted)]);
        let mut items = Vec::with_capacity(sids.len());
        for _ in 0..BATCH_TRIES {
            let answer = self.client.batch_get_item().set_request_items(Some(wanted)).send().await?;
            items.extend(answer.responses.into_iter().flatten().flat_map(|(_, items)| items));
            wanted = answer.unprocessed_keys.unwrap_or_default();
            if wanted.is_empty() {
                return Ok(items);
            }
            tokio::time::sleep(BATCH_PAUSE).await;
        }
        Err(StoreError::Unavailable("a batch was throttled".into()))
    }

    pub(super) fn readable(user: &UserId, items: Vec<Item>) -> Vec<Session> {
        let read = |item: Item| match session_id(&item).and_then(|sid| decode(user, &sid, &item)) {
            Ok(session) => Some(session),
            Err(error) => {
                tracing::error!(%user, %error, "a session cannot be read");
                None
            }
        };
        items.into_iter().filter_map(read).collect()
    }
}

/// The index item of a session. It is kept as long as the session can last.
pub(super) fn encode(session: &Session) -> Item {
    let mut item = live_key(&session.user, &session.id);
    item.insert(CREATED_AT.to_owned(), time(session.created_at));
    item.insert(EXPIRES_AT.to_owned(), time(session.absolute_ends_at));
    item
}

fn decode_live(item: &Item) -> Result<Indexed, StoreError> {
    Ok(Indexed { id: indexed_id(item)?, created_at: read_time(item, CREATED_AT)? })
}

pub(super) fn indexed_id(item: &Item) -> Result<SessionId, StoreError> {
    SessionId::parse(&read_text(item, SK)?).map_err(|_| StoreError::Unreadable(SK))
}
