//! The names of a user in a JSON body.

use super::ApiError;
use super::fields::Fields;
use crate::user;

/// The name `field`: `None` if the body does not mention it, `Some(None)` if it takes the name away.
///
/// # Errors
///
/// [`ApiError::InvalidRequest`] if it is no text, too long, or has characters that break or turn a line.
pub fn read(fields: &mut Fields, field: &str) -> Result<Option<Option<String>>, ApiError> {
    match fields.optional_text(field)? {
        None => Ok(None),
        Some(None) => Ok(Some(None)),
        Some(Some(typed)) => user::name(&typed).map(Some).map_err(|what| ApiError::field(field, &what)),
    }
}
