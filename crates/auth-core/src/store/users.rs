//! Users in the table.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::item::{
    Item, number, optional_number, optional_text, put_optional, read_flag, read_text, read_time, text, time,
};
use super::schema::{
    CREATED_AT, DISPLAY_NAME, EMAIL, EMAIL_VERIFIED, FIRST_NAME, LAST_NAME, SESSIONS_SERIAL, STATUS,
    STATUS_ACTIVE, STATUS_DISABLED, no_user_key, user_key,
};
use super::sessions::refused_by;
use super::{Store, StoreError};
use crate::user::{Names, User, UserId, UserStatus};

/// New names. `None` leaves a name as it is, `Some(None)` takes it away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamesChange {
    /// How they are shown.
    pub display_name: Option<Option<String>>,
    /// Given name.
    pub first_name: Option<Option<String>>,
    /// Family name.
    pub last_name: Option<Option<String>>,
}

/// What became of a change of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamesChanged {
    /// It was done; the user afterwards.
    Done(User),
    /// It was not: the user is disabled.
    DisabledUser,
    /// It was not: there is no such user.
    UnknownUser,
}

/// What became of a change of status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusSet {
    /// It was done; what it was before.
    Done(UserStatus),
    /// It was not: there is no such user.
    UnknownUser,
}

impl Store {
    /// The user `id`.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        self.get(user_key(id)).await?.map(|item| decode(id, &item)).transpose()
    }

    /// The user `id`. For `None` it reads a user who does not exist: an unknown address costs the same request as a known one.
    ///
    /// # Errors
    ///
    /// If DynamoDB is unavailable.
    pub async fn known_user(&self, id: Option<&UserId>) -> Result<Option<User>, StoreError> {
        match id {
            Some(id) => self.user(id).await,
            None => self.get(no_user_key()).await.map(|_| None),
        }
    }

    /// Changes names of the user `id`, if they may sign in.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn change_names(&self, id: &UserId, change: &NamesChange) -> Result<NamesChanged, StoreError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(user_key(id)))
            .condition_expression("#status = :active")
            .expression_attribute_names("#status", STATUS)
            .expression_attribute_values(":active", text(STATUS_ACTIVE))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match with_names(request, change).send().await {
            Ok(answer) => {
                let item = answer.attributes.ok_or_else(StoreError::incomplete)?;
                decode(id, &item).map(NamesChanged::Done)
            }
            Err(error) => match refused_by(&error) {
                None => Err(error.into()),
                Some(None) => Ok(NamesChanged::UnknownUser),
                Some(Some(_)) => Ok(NamesChanged::DisabledUser),
            },
        }
    }

    /// Moves the serial that a login compares: a session whose login is under way and that is not listed from now on is never
    /// answered with tokens. A second try of the SDK moves it twice, which makes no difference.
    ///
    /// # Errors
    ///
    /// If DynamoDB is unavailable.
    pub async fn move_sessions_serial(&self, id: &UserId) -> Result<(), StoreError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(user_key(id)))
            .update_expression("ADD sessions_serial :one")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":one", number(1));
        match request.send().await {
            Err(error) if refused_by(&error).is_none() => Err(error.into()),
            // A user who is gone has no sessions to come.
            _ => Ok(()),
        }
    }

    /// Says whether the user `id` may sign in. Disabling moves the serial like [`Store::move_sessions_serial`].
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn set_status(&self, id: &UserId, status: UserStatus) -> Result<StatusSet, StoreError> {
        let (word, moved) = match status {
            UserStatus::Active => (STATUS_ACTIVE, 0),
            UserStatus::Disabled => (STATUS_DISABLED, 1),
        };
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(user_key(id)))
            .update_expression("SET #status = :status ADD sessions_serial :moved")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#status", STATUS)
            .expression_attribute_values(":status", text(word))
            .expression_attribute_values(":moved", number(moved))
            .return_values(ReturnValue::UpdatedOld);
        match request.send().await {
            Ok(answer) => {
                status_of(&answer.attributes.ok_or_else(StoreError::incomplete)?).map(StatusSet::Done)
            }
            Err(error) if refused_by(&error).is_some() => Ok(StatusSet::UnknownUser),
            Err(error) => Err(error.into()),
        }
    }
}

/// `SET a = :a REMOVE b`: the names that change.
fn with_names(mut request: UpdateItemFluentBuilder, change: &NamesChange) -> UpdateItemFluentBuilder {
    let names = [
        (DISPLAY_NAME, &change.display_name),
        (FIRST_NAME, &change.first_name),
        (LAST_NAME, &change.last_name),
    ];
    let (mut set, mut remove) = (Vec::new(), Vec::new());
    for (name, value) in names {
        match value {
            Some(Some(value)) => {
                set.push(format!("{name} = :{name}"));
                request = request.expression_attribute_values(format!(":{name}"), text(value));
            }
            Some(None) => remove.push(name),
            None => {}
        }
    }
    let clauses = [("SET", set.join(", ")), ("REMOVE", remove.join(", "))];
    let clauses = clauses.into_iter().filter(|(_, names)| !names.is_empty());
    let update: Vec<_> = clauses.map(|(verb, names)| format!("{verb} {names}")).collect();
    request.update_expression(update.join(" "))
}

pub(super) fn encode(user: &User) -> Item {
    let mut item = user_key(&user.id);
    item.insert(EMAIL.to_owned(), text(&user.email));
    item.insert(EMAIL_VERIFIED.to_owned(), AttributeValue::Bool(user.email_verified));
    item.insert(STATUS.to_owned(), text(STATUS_ACTIVE));
    item.insert(CREATED_AT.to_owned(), time(user.created_at));
    put_optional(&mut item, DISPLAY_NAME, user.names.display_name.as_ref());
    put_optional(&mut item, FIRST_NAME, user.names.first_name.as_ref());
    put_optional(&mut item, LAST_NAME, user.names.last_name.as_ref());
    if user.sessions_serial > 0 {
        item.insert(SESSIONS_SERIAL.to_owned(), number(user.sessions_serial));
    }
    item
}

pub(super) fn decode(id: &UserId, item: &Item) -> Result<User, StoreError> {
    let status = status_of(item)?;
    Ok(User {
        id: id.clone(),
        email: read_text(item, EMAIL)?,
        names: Names {
            display_name: optional_text(item, DISPLAY_NAME)?,
            first_name: optional_text(item, FIRST_NAME)?,
            last_name: optional_text(item, LAST_NAME)?,
        },
        email_verified: read_flag(item, EMAIL_VERIFIED)?,
        status,
        sessions_serial: optional_number(item, SESSIONS_SERIAL)?.unwrap_or_default(),
        created_at: read_time(item, CREATED_AT)?,
    })
}

/// Whatever an operator writes there but `active` keeps the user out.
fn status_of(item: &Item) -> Result<UserStatus, StoreError> {
    let active = read_text(item, STATUS)? == STATUS_ACTIVE;
    Ok(if active { UserStatus::Active } else { UserStatus::Disabled })
}
