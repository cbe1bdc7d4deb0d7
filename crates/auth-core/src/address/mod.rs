//! E-mail addresses.
//!
//! An address has the form `dot-atom@domain` of RFC 5321 §4.1.2 with the letters of RFC 6531 §3.3. Quoted local parts, comments,
//! display names and address literals are not supported.
//!
//! # Layout
//!
//! - this file: an address as it was typed
//! - `lookup`: the form in which an address is looked up
//! - `fold`: case folding
//! - `label`: which text may stand in a local part or in a domain label
//! - `tests`: real words of every script in modern use, and addresses that look like others

mod fold;
mod label;
mod lookup;
#[cfg(test)]
mod tests;

use std::str::FromStr;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

pub use self::lookup::LookupAddress;

/// An address as somebody typed it, and as it is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    given: Box<str>,
    normalised: Box<str>,
    lookup: LookupAddress,
}

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
        let normalised = format!("{}@{domain}", fold::in_small_letters(&local));
        let lookup = LookupAddress::new(&format!("{local}@{domain}"));
        let longest = lookup.keys().into_iter().flatten().map(str::len).max().unwrap_or_default();
        if given.len() > MAXIMUM_BYTES || longest > MAXIMUM_BYTES {
            return Err(NotAnAddress);
        }
        Ok(Self { given: given.into(), normalised: normalised.into(), lookup })
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
            || (c == '\u{307}' && matches!(before, 'i' | 'j' | 'J' | 'l' | 'L'))
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

/// The [normalised](Address::normalised) form of an address that is stored as it was typed. What is no address stays as it is.
pub fn normalised(stored: &str) -> String {
    // Most addresses: in ASCII, with no label that stands for another.
    if stored.is_ascii() && !stored.to_ascii_lowercase().contains("xn--") {
        return stored.to_ascii_lowercase();
    }
    stored.parse().map_or_else(|_| stored.to_owned(), |address: Address| address.normalised.into_string())
}

impl Address {
    /// As it was typed, trimmed.
    pub fn as_str(&self) -> &str {
        &self.given
    }

    /// In small letters, with the domain in Unicode: one text for every capitalisation, which mail can be sent to.
    pub fn normalised(&self) -> &str {
        &self.normalised
    }

    /// As it is looked up.
    pub const fn lookup(&self) -> &LookupAddress {
        &self.lookup
    }
}
