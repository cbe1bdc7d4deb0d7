//! Configuration: read once from the environment, parsed into types, every fault reported at once.
//!
//! A function says which sections it needs; nothing else is read, so that a function that needs no key is given none.
//!
//! ```
//! use auth_core::config::{self, HttpConfig};
//!
//! let environment = |name: &str| (name == "RESPONSE_FORMAT").then(|| "snake".to_owned());
//! let http = config::from_lookup(&environment, |settings| Some(HttpConfig::read(settings)))?;
//! # Ok::<(), config::Faults>(())
//! ```

mod authorizer;
mod http;
mod keys;
mod limits;
mod passwords;
mod sessions;
pub mod setting;
mod settings;
mod span;
mod store;

pub use self::authorizer::AuthorizerConfig;
pub use self::http::{HttpConfig, Origins, ResponseFormat, TokenDelivery};
pub use self::keys::{SigningKeys, read_public_keys, read_refresh_keys, read_verifying_keys};
pub use self::limits::{LoginLimits, SignupLimits};
pub use self::passwords::{HashingConfig, PasswordRules};
pub use self::sessions::{Rotation, SessionConfig, TokenNames};
pub use self::settings::{Faults, Lookup, Secret, Settings, from_lookup};
pub use self::store::{StaticCredentials, StoreConfig};
