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

impl<E, R> From<SdkError<E, R>> for StoreError
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    fn from(error: SdkError<E, R>) -> Self {
        let transient = match &error {
            SdkError::ConstructionFailure(_) => false,
            SdkError::ServiceError(service) => {
                service.err().code().is_none_or(|code| TRANSIENT.contains(&code))
            }
            _ => true,
        };
        let source = Box::new(aws_sdk_dynamodb::error::DisplayErrorContext(error));
        let source = Box::<dyn Error + Send + Sync>::from(source.to_string());
        if transient { Self::Unavailable(source) } else { Self::Refused(source) }
    }
}
