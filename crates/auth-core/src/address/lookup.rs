//! The form in which an address is looked up.

use std::fmt;
use std::hash::{Hash, Hasher};

use unicode_normalization::UnicodeNormalization;

use super::fold;
use crate::digest;

/// An address in the form that decides whether two are the same: NFC, simple case folding, and the domain in Unicode, which a
/// client may spell in ASCII too (`xn--…`, RFC 5890). Mail systems may tell case apart in the local part (RFC 5321 §2.4), people do
/// not.
///
/// New credentials are stored under [`LookupAddress::as_str`]. The first edition stored them under the address in lower case, which
/// differs where case folding does: for the Greek sigma and the Turkish dotted capital I. [`LookupAddress::keys`] names every key
/// that a credential of this address may have. Which keys there are follows from the address alone, so that an unknown address
/// costs as much as a known one.
#[derive(Clone)]
pub struct LookupAddress {
    folded: Box<str>,
    /// The key of the first edition for what was typed, if it is another.
    typed: Option<Box<str>>,
    /// Its key for the usual Greek spelling, if it is a third one.
    spelled: Option<Box<str>>,
}

impl LookupAddress {
    /// Of an address in NFC whose domain is in Unicode.
    pub(super) fn new(address: &str) -> Self {
        let folded = fold::fold(address);
        let typed = Some(address.to_lowercase().nfc().collect::<String>()).filter(|typed| *typed != folded);
        let spelled = fold::in_greek_spelling(&folded);
        let spelled = spelled.filter(|spelled| *spelled != folded && Some(spelled) != typed.as_ref());
        Self { folded: folded.into(), typed: typed.map(Into::into), spelled: spelled.map(Into::into) }
    }

    /// The text form: the key of a new credential.
    pub fn as_str(&self) -> &str {
        &self.folded
    }

    /// Every key that a credential of this address may have, the most specific first: of two accounts of the first edition whose
    /// addresses fold together, each is found by its own spelling.
    pub fn keys(&self) -> [Option<&str>; 3] {
        [self.typed.as_deref(), Some(&self.folded), self.spelled.as_deref()]
    }

    /// Names the address in a key that must not show it. Each purpose has digests of its own.
    pub fn digest(&self, purpose: &str) -> String {
        digest::of(&[purpose.as_bytes(), self.folded.as_bytes()])
    }
}

impl PartialEq for LookupAddress {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for LookupAddress {}

impl Hash for LookupAddress {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

impl fmt::Debug for LookupAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LookupAddress({:?})", self.folded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(address: &str) -> Vec<String> {
        LookupAddress::new(address).keys().into_iter().flatten().map(str::to_owned).collect()
    }

    #[test]
    fn an_address_without_sigma_has_one_key() {
        for address in [
            "Ada@Example.com",
            "ИВАН@example.com",
            "straße@example.com",
            "GROẞ@example.com",
            "ıI@example.com",
        ] {
            assert_eq!(keys(address).len(), 1, "{address}");
        }
    }

    #[test]
    fn keys_of_the_first_edition_come_before_those_of_other_spellings() {
        assert_eq!(keys("ΧΡΗΣΤΗΣ@example.com"), ["χρηστης@example.com", "χρηστησ@example.com"]);
        assert_eq!(keys("χρηστησ.α@example.com"), ["χρηστησ.α@example.com", "χρηστης.α@example.com"]);
        assert_eq!(keys("χρηστης.α@example.com"), ["χρηστης.α@example.com", "χρηστησ.α@example.com"]);
        assert_eq!(
            keys("ΣΩΣ.ΑΣ@example.com"),
            ["σωσ.ας@example.com", "σωσ.ασ@example.com", "σως.ας@example.com"]
        );
        assert_eq!(keys("İda@example.com"), ["i\u{307}da@example.com", "İda@example.com"]);
    }

    #[test]
    fn spellings_of_one_address_have_one_digest() {
        let digest = |address: &str| LookupAddress::new(address).digest("mail");
        assert_eq!(digest("ΧΡΗΣΤΗΣ@example.com"), digest("χρηστης@example.com"));
        assert_ne!(digest("ada@example.com"), LookupAddress::new("ada@example.com").digest("login"));
    }
}
