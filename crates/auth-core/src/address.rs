//! E-mail addresses.

use std::fmt;
use std::str::FromStr;

use email_address::{EmailAddress, Options};
use unicode_normalization::UnicodeNormalization;

/// An address as somebody typed it, and as it is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    given: String,
    lookup: LookupAddress,
}

/// An address in the form that decides whether two are the same: NFC, lower case. Mail systems may tell case apart in the
/// local part (RFC 5321 §2.4), people do not.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LookupAddress(String);

/// Not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not an e-mail address")]
pub struct NotAnAddress;

/// RFC 5321 §4.5.3.1.3 allows 256 octets with the angle brackets.
const MAXIMUM_BYTES: usize = 254;

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let given: String = text.trim().nfc().collect();
        let options = Options::default().without_display_text().without_domain_literal().with_required_tld();
        let parsed = EmailAddress::parse_with_options(&given, options).map_err(|_| NotAnAddress)?;
        // A quoted local part may hold nearly anything, a line break too. Nobody has such an address.
        let plain = !parsed.local_part().starts_with('"')
            && !given.chars().any(|c| c.is_control() || c.is_whitespace());
        let lookup: String = given.to_lowercase().nfc().collect();
        if !plain || given.len() > MAXIMUM_BYTES || lookup.len() > MAXIMUM_BYTES {
            return Err(NotAnAddress);
        }
        Ok(Self { given, lookup: LookupAddress(lookup) })
    }
}

impl Address {
    /// As it was typed, trimmed.
    pub fn as_str(&self) -> &str {
        &self.given
    }

    /// As it is looked up.
    pub const fn lookup(&self) -> &LookupAddress {
        &self.lookup
    }
}

impl LookupAddress {
    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for LookupAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LookupAddress({:?})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_surrounding_space_do_not_tell_addresses_apart() {
        let lookup = |text: &str| text.parse::<Address>().map(|address| address.lookup);
        assert_eq!(lookup(" Ada@Example.COM "), lookup("ada@example.com"));
        assert_eq!(lookup("u\u{308}@example.com"), lookup("\u{fc}@example.com"), "NFC");
        assert_ne!(lookup("ada@example.com"), lookup("ada+1@example.com"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        for text in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@localhost",
            "a b@example.com",
            "ada@example..com",
            "ada@[192.0.2.1]",
            "Ada <ada@example.com>",
            "\"a b\"@example.com",
            "ada@example.com\r\nBcc: x@example.com",
            "a@b@example.com",
            &long,
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
