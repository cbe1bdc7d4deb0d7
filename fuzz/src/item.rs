//! Any item of the table: the store's own check, as its codec is nobody else's business.

pub use auth_core::store::round_trip::check;
