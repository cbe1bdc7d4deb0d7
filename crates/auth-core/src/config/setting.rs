//! Every setting by name, with the value that holds when it is absent.
//!
//! The README's table, the template's parameters and this file say the same; a test of the workspace compares them.

/// An environment variable that a function reads.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// The variable's name.
    pub name: &'static str,
    /// What an absent or empty variable stands for; `None` if there is no default.
    pub default: Option<&'static str>,
}

macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident $(= $default:literal)?;)*) => {
        $(
            $(#[$doc])*
            pub const $name: Setting =
                Setting { name: stringify!($name), default: settings!(@default $($default)?) };
        )*
        /// Every setting, in the order of the README's table.
        pub const ALL: &[Setting] = &[$($name),*];
    };
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
}

settings! {
    /// The DynamoDB table.
    TABLE_NAME;
    /// `iss` of every token (RFC 7519 §4.1.1); a URL if others read the discovery document.
    JWT_ISSUER = "urn:latchkey";
    /// `aud` of access tokens: the API that they are for (RFC 7519 §4.1.3).
    JWT_AUDIENCE = "urn:latchkey:api";
    /// `HS256`, `HS384`, `HS512`, `RS256`, `ES256` or `EdDSA`.
    JWT_ALGORITHM = "HS256";
    /// The secret of HMAC access tokens, and of refresh tokens unless they have their own.
    JWT_SECRET;
    /// Secrets that still verify, separated by commas.
    JWT_PREVIOUS_SECRETS;
    /// PKCS#8 PEM; line breaks may be written `\n`.
    JWT_PRIVATE_KEY;
    /// SPKI PEM; needed where the private key is not.
    JWT_PUBLIC_KEY;
    /// Public keys that still verify, one PEM block after the other.
    JWT_PREVIOUS_PUBLIC_KEYS;
    /// The secret of refresh tokens.
    REFRESH_TOKEN_SECRET;
    /// Refresh token secrets that still verify, separated by commas.
    REFRESH_TOKEN_PREVIOUS_SECRETS;
    /// Life of an access token.
    ACCESS_TOKEN_EXPIRY = "1h";
    /// A session ends when it has not been refreshed for so long.
    REFRESH_TOKEN_EXPIRY = "30d";
    /// A session ends so long after the login, whatever happens in between.
    SESSION_MAX_LIFETIME = "90d";
    /// For so long after a rotation the previous refresh token is answered with its successor.
    REFRESH_GRACE = "10s";
    /// For so long after a rotation a repetition with its `Idempotency-Key` is answered.
    REFRESH_RETRY_WINDOW = "24h";
    /// So many repetitions of a rotation are answered after the grace period; 0 for none.
    REFRESH_RETRY_LIMIT = "10";
    /// `off` keeps one refresh token for the whole session.
    REFRESH_TOKEN_ROTATION = "on";
    /// `off` accepts an access token until it ends, logout or not, and saves the authorizer's read.
    SESSION_CHECK = "on";
    /// `policy` or `simple`: what an HTTP API with payload 2.0 expects (`EnableSimpleResponses`).
    AUTHORIZER_RESPONSE = "policy";
    /// `off`, `access` or `rotate`: which tokens the authorizer renews.
    RENEWAL = "off";
    /// For so long before its end an access token is renewed.
    RENEWAL_WINDOW = "5m";
    /// Ended sessions are kept for so long.
    AUDIT_RETENTION = "30d";
    /// `camel`, `snake`, `envelope` or `authorization`.
    RESPONSE_FORMAT = "camel";
    /// `body` or `cookie`.
    TOKEN_DELIVERY = "body";
    /// `secure`, `secure-to-host` or `host`: the prefix of cookie names.
    COOKIE_PREFIX = "secure";
    /// What comes before `/auth` in the path that browsers call, such as `/api`; `/` for nothing.
    PUBLIC_BASE_PATH;
    /// Origins whose scripts may call the API, separated by commas; `*` for any, with `TOKEN_DELIVERY=body` alone.
    CORS_ALLOWED_ORIGINS;
    /// Shortest password, in Unicode code points.
    PASSWORD_MIN_LENGTH = "8";
    /// Memory of argon2id in KiB.
    ARGON2_MEMORY_KIB = "19456";
    /// Passes of argon2id.
    ARGON2_ITERATIONS = "2";
    /// Lanes of argon2id.
    ARGON2_PARALLELISM = "1";
    /// Failed login attempts for one address in any span of the window; 0 for no limit.
    LOGIN_LIMIT_PER_ADDRESS = "20";
    /// Failed login attempts from one IPv4 address or IPv6 /64 in any span of the window; 0 for no limit.
    LOGIN_LIMIT_PER_IP = "100";
    /// Requests of one session to change the password in any span of the window; 0 for no limit.
    DEVICE_LIMIT = "10";
    /// The window of the login limits.
    LOGIN_LIMIT_WINDOW = "15m";
    /// Consecutive failures that lock an address; 0 for never.
    LOGIN_LOCK_FAILURES = "100";
    /// For so long.
    LOGIN_LOCK_DURATION = "1d";
    /// Live sessions of one user; a login beyond it revokes the one used longest ago; 0 for no limit.
    SESSION_LIMIT = "100";
    /// Signups from one IPv4 address or IPv6 /64 in any span of the window; 0 for no limit.
    SIGNUP_LIMIT_PER_IP = "100";
    /// The window of the signup limit.
    SIGNUP_LIMIT_WINDOW = "1h";
    /// The secret of a proxy that is believed in what it says of its clients; absent: none is.
    TRUSTED_PROXY_SECRET;
    /// A secret of that proxy that is still accepted.
    TRUSTED_PROXY_PREVIOUS_SECRET;
    /// The deployment's name, by which its metrics are told from another's.
    SERVICE_NAME = "latchkey";
    /// `error` or `warn`; `info`, `debug` and `trace` are taken for `warn`.
    LOG_LEVEL = "warn";
}
