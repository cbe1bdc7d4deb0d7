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
mod cookies;
mod grants;
mod http;
mod keys;
mod limits;
mod origins;
mod passwords;
mod proxy;
mod renewal;
mod sessions;
pub mod setting;
mod settings;
mod span;
mod store;

pub use self::authorizer::{SessionCheckConfig, read_simple_answers};
pub use self::cookies::{CookieConfig, CookiePrefix, PublicBasePath};
pub use self::grants::{Grants, read_access_issuer};
pub use self::http::{HttpConfig, ResponseFormat, TokenDelivery, read_delivery};
pub use self::keys::{
    read_own_verifying_keys, read_public_keys, read_refresh_keys, read_signing_key, read_verifying_keys,
};
pub use self::origins::{AllowedOrigin, Origins, Wildcard};
pub use self::renewal::{RenewalConfig, RenewalMode};
pub use self::sessions::{read_access_lifetime, read_issuer, read_session_limit};
pub use self::settings::{Faults, Lookup, Settings, from_lookup};
pub use self::store::{StaticCredentials, StoreConfig};
