//! What can go wrong between a function and the table.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// Why a request to the table gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Throttled, out of reach, too slow, or garbled on the way: the same request may well succeed later.
    #[error("the table is not available: {0}")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// Refused for good: no such table, no permission, a malformed request.
    #[error("the table refused the request: {0}")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// An item lacks an attribute, or it has another type: somebody else wrote it.
    #[error("an item's attribute {0} cannot be read")]
    Unreadable(&'static str),
}

/// The errors that DynamoDB documents as worth a retry ("Error handling with DynamoDB"), and conflicts of transactions,
/// which pass by themselves.
const TRANSIENT: &[&str] = &[
    "InternalServerError",
    "ItemCollectionSizeLimitExceededException",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "ReplicatedWriteConflictException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "ServiceUnavailable",
    "ThrottlingError",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
];

impl StoreError {
    /// A success without the attributes that were asked for: DynamoDB sends them, so they were lost on the way.
    pub(super) fn incomplete() -> Self {
        Self::Unavailable("an answer lacks its attributes".into())
    }
}

impl<E, R> From<SdkError<E, R>> for StoreError
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    fn from(error: SdkError<E, R>) -> Self {
        let transient = match &error {
            SdkError::ConstructionFailure(_) => false,
            SdkError::ServiceError(service) => service
                .err()
                .code()
                .is_none_or(|code| TRANSIENT.contains(&code) || code.starts_with("Internal")),
            _ => true,
        };
        let source = Box::<dyn Error + Send + Sync>::from(describe(&error));
        if transient { Self::Unavailable(source) } else { Self::Refused(source) }
    }
}

/// What went wrong, for the log. Only what errors say of themselves: their `Debug`, and the SDK's own description, would add
/// the answer's body, and with it whatever the item holds.
fn describe<E, R>(error: &SdkError<E, R>) -> String
where
    E: Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug + 'static,
{
    if let SdkError::ServiceError(service) = error {
        let (code, message) = (service.err().code(), service.err().message());
        return format!("{}: {}", code.unwrap_or("no code"), message.unwrap_or("no message"));
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
