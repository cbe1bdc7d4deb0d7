//! What an attacker would try on a token, and the vectors that others have published for our algorithms.
//!
//! - `attacks`: the table of attacks, for every algorithm and either kind of token
//! - `forger`: makes tokens that no issuer of ours would
//! - `pem`: keys in the forms that tools write
//! - `vectors`: RFC 7515 appendix A, RFC 7520 §4, RFC 8037 appendix A
//! - `wycheproof`: signatures and MACs that broke other implementations

mod attacks;
mod forger;
mod pem;
mod vectors;
mod wycheproof;
