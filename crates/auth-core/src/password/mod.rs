//! Passwords.
//!
//! # Layout
//!
//! - this file: a password as it was typed
//! - [`rules`]: whether it may be chosen
//! - [`hash`], argon2id, and what it costs

pub mod hash;
pub mod rules;

use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// A password in NFC (RFC 8265 §4.2), never trimmed. It shows in no log and no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Most Unicode code points. It bounds the cost of everything that reads a password.
    pub const MAXIMUM_LENGTH: usize = 128;

    /// Takes a password as it was typed.
    pub fn new(typed: &str) -> Self {
        // One code point more than the longest is enough to know that it is too long.
        Self(typed.nfc().take(Self::MAXIMUM_LENGTH + 1).collect())
    }

    /// Its length in Unicode code points.
    pub fn length(&self) -> usize {
        self.0.chars().count()
    }

    fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}
