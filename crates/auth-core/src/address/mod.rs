//! E-mail addresses.
//!
//! An address has the form `dot-atom@domain` of RFC 5321 §4.1.2 with the letters of RFC 6531 §3.3. Quoted local parts, comments,
//! display names and address literals are not supported.
//!
//! # Layout
//!
//! - this file: an address and the form in which it is looked up
//! - `label`: which text may stand in a local part or in a domain label
//! - `tests`: real words of every script in modern use, and addresses that look like others

mod label;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

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

/// RFC 5321 §4.5.3.1.1.
const MAXIMUM_LOCAL_BYTES: usize = 64;

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let given: String = text.trim().nfc().collect();
        let (local, domain) = given.rsplit_once('@').ok_or(NotAnAddress)?;
        let local = read_local_part(local).ok_or(NotAnAddress)?;
        let domain = read_domain(domain).ok_or(NotAnAddress)?;
        let lookup = format!("{local}@{domain}").to_lowercase().nfc().collect::<String>();
        if given.len() > MAXIMUM_BYTES || lookup.len() > MAXIMUM_BYTES {
            return Err(NotAnAddress);
        }
        Ok(Self { given, lookup: LookupAddress(lookup) })
    }
}

/// The local part in NFC, with [the letters](label::letters_of) of compatibility characters; `None` if it is none.
fn read_local_part(given: &str) -> Option<String> {
    let atoms = given.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext));
    if !atoms || given.len() > MAXIMUM_LOCAL_BYTES || has_stray_mark(given) {
        return None;
    }
    let mut local = String::with_capacity(given.len());
    for c in given.chars() {
        match label::letters_of(c) {
            Some(letters) => local.push_str(&letters),
            None => local.push(c),
        }
    }
    let local: String = local.nfc().collect();
    label::is_acceptable(&local).then_some(local)
}

/// `atext` of RFC 5322 §3.2.3, extended by RFC 6531 §3.3.
fn is_atext(c: char) -> bool {
    !c.is_ascii() || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
}

/// A mark without a letter of its own, or a dot above a letter that has one, which looks like the letter alone (UTS 39 §5.4).
fn has_stray_mark(text: &str) -> bool {
    let marked = |(before, c): (char, char)| {
        (is_combining_mark(c) && before.is_ascii() && !before.is_ascii_alphanumeric())
            || (c == '\u{307}' && matches!(before, 'i' | 'j' | 'l'))
    };
    std::iter::once('.').chain(text.chars()).zip(text.chars()).any(marked)
}

/// The domain in Unicode (UTS 46); `None` if it is none of at least two labels. Characters that UTS 46 removes or maps to a dot
/// are rejected.
fn read_domain(given: &str) -> Option<String> {
    let known = |c: char| {
        if c.is_ascii() {
            is_atext(c)
        } else {
            c.is_alphanumeric() || label::is_letter_mark_or_digit(c) || label::is_joiner(c)
        }
    };
    let edge = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric();
    let well_formed =
        |label: &str| label.starts_with(edge) && label.ends_with(edge) && label.chars().all(known);
    let mut labels = 0;
    for label in given.split('.') {
        well_formed(label).then_some(())?;
        labels += 1;
    }
    let uts46 = Uts46::new();
    // Nothing but the length is taken from the ASCII form (RFC 1035 §2.3.4).
    uts46.to_ascii(given.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow, DnsLength::Verify).ok()?;
    let (domain, valid) = uts46.to_unicode(given.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow);
    let acceptable = labels > 1 && valid.is_ok() && domain.split('.').all(label::is_acceptable);
    acceptable.then(|| domain.into_owned())
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
