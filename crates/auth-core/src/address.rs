//! E-mail addresses.

use std::fmt;
use std::str::FromStr;

use email_address::{EmailAddress, Options};
use unicode_normalization::UnicodeNormalization;
use unicode_security::{GeneralSecurityProfile, MixedScript};

use crate::characters::is_deceptive;

/// An address as somebody typed it, and as it is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    given: String,
    lookup: LookupAddress,
}

/// An address in the form that decides whether two are the same: NFC, lower case, and the domain in Unicode, which a client may
/// spell in ASCII too (`xn--…`, RFC 5890). Mail systems may tell case apart in the local part (RFC 5321 §2.4), people do not.
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
        let (domain, spelling) = idna::domain_to_unicode(parsed.domain());
        // A quoted local part may hold nearly anything, a line break too. Nobody has such an address.
        let plain = !parsed.local_part().starts_with('"')
            && !given.chars().any(|c| is_deceptive(c) || c.is_whitespace())
            && !is_lookalike(parsed.local_part())
            && spelling.is_ok()
            && !domain.split('.').any(is_lookalike);
        let lookup = format!("{}@{domain}", parsed.local_part()).to_lowercase().nfc().collect::<String>();
        if !plain || given.len() > MAXIMUM_BYTES || lookup.len() > MAXIMUM_BYTES {
            return Err(NotAnAddress);
        }
        Ok(Self { given, lookup: LookupAddress(lookup) })
    }
}

/// Whether a part looks like another one: letters of two scripts (a Cyrillic а in a Latin name), or characters that identifiers do
/// not have, invisible ones among them (UTS 39 §5.1, §3.1). Whole words of another script are somebody's language.
fn is_lookalike(part: &str) -> bool {
    !part.is_ascii()
        && (!part.is_single_script() || part.chars().any(|c| !c.is_ascii() && !c.identifier_allowed()))
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
    fn a_domain_is_the_same_in_unicode_and_in_ascii() {
        let lookup = |text: &str| text.parse::<Address>().map(|address| address.lookup);
        assert_eq!(lookup("ada@xn--bcher-kva.example"), lookup("ada@b\u{fc}cher.example"));
        assert_eq!(lookup("ada@XN--BCHER-KVA.example"), lookup("ada@B\u{dc}CHER.example"));
        assert!(lookup("ada@stra\u{df}e.example").is_ok(), "a sharp s is a letter of its own");
        assert_eq!(
            lookup("ada@b\u{fc}cher.example").map(|address| address.0),
            Ok("ada@b\u{fc}cher.example".to_owned())
        );
        assert!(lookup("ada@xn--exmple-4nf.com").is_err(), "a lookalike in ASCII");
        assert!(lookup("ada@xn--a.example").is_err(), "no label at all");
    }

    #[test]
    fn an_address_that_only_looks_like_another_is_refused() {
        for text in [
            "\u{430}da@example.com",
            "ad\u{430}@example.com",
            "ada@ex\u{430}mple.com",
            "ada@example.c\u{43e}m",
            "ad\u{200b}a@example.com",
            "ad\u{ad}a@example.com",
            "a\u{2060}da@example.com",
            "\u{ff41}da@example.com",
            "\u{1d41a}da@example.com",
            "ada\u{202e}moc.elpmaxe@evil.com",
            "ada@example\u{2024}com.evil.com",
        ] {
            assert!(text.parse::<Address>().is_err(), "{}", text.escape_unicode());
        }
        for text in [
            "j\u{fc}rgen@b\u{fc}cher.example",
            "\u{438}\u{432}\u{430}\u{43d}@example.com",
            "\u{7528}\u{6237}@\u{4f8b}\u{5b50}.example",
        ] {
            assert!(text.parse::<Address>().is_ok(), "{text}");
        }
    }

    /// Case mappings that leave ASCII: the account is the one of the folded address, and there is only one.
    #[test]
    fn letters_whose_lower_case_is_ascii_are_no_second_account() {
        let lookup = |text: &str| text.parse::<Address>().map(|address| address.lookup);
        assert_eq!(lookup("\u{212a}im@example.com"), lookup("kim@example.com"), "the Kelvin sign");
        assert_ne!(
            lookup("\u{130}da@example.com"),
            lookup("ida@example.com"),
            "a dotted capital I keeps its dot"
        );
        assert!(lookup("e\u{17f}ther@example.com").is_err(), "a long s");
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
