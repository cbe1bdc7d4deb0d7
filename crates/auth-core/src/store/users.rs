//! Users in the table.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::item::{Item, optional_text, put_optional, read_flag, read_text, read_time, text, time};
use super::schema::{
    CREATED_AT, DISPLAY_NAME, EMAIL, EMAIL_VERIFIED, FIRST_NAME, LAST_NAME, STATUS, STATUS_ACTIVE,
    STATUS_DISABLED, user_key,
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

    /// Says whether the user `id` may sign in.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn set_status(&self, id: &UserId, status: UserStatus) -> Result<StatusSet, StoreError> {
        let word = match status {
            UserStatus::Active => STATUS_ACTIVE,
            UserStatus::Disabled => STATUS_DISABLED,
        };
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(user_key(id)))
            .update_expression("SET #status = :status")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#status", STATUS)
            .expression_attribute_values(":status", text(word))
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
        created_at: read_time(item, CREATED_AT)?,
    })
}

/// Whatever an operator writes there but `active` keeps the user out.
fn status_of(item: &Item) -> Result<UserStatus, StoreError> {
    let active = read_text(item, STATUS)? == STATUS_ACTIVE;
    Ok(if active { UserStatus::Active } else { UserStatus::Disabled })
}
