//! Case folding: which letters are one letter.

use icu_casemap::CaseMapper;
use unicode_normalization::UnicodeNormalization;

const SIGMA: char = 'σ';
const FINAL_SIGMA: char = 'ς';

/// Simple case folding (`CaseFolding.txt`, statuses C and S) of a text in NFC. Full folding would make one mailbox of `straße` and
/// `strasse`. The Turkish dotted capital I has no simple folding and stays what it is.
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mapper = CaseMapper::new();
    text.chars().map(|c| mapper.simple_fold(c)).nfc().collect()
}

/// The text in small letters. A final sigma stays one, so that the address stays what its owner writes.
pub(super) fn in_small_letters(text: &str) -> String {
    let mapper = CaseMapper::new();
    text.chars().map(|c| if c.is_lowercase() { c } else { mapper.simple_fold(c) }).nfc().collect()
}

/// A folded text as Greek is spelled: sigma at the end of a word is a final one. `None` if there is none.
pub(super) fn in_greek_spelling(folded: &str) -> Option<String> {
    if !folded.contains(SIGMA) {
        return None;
    }
    let mut before = None;
    let mut rest = folded.chars().peekable();
    let mut spelled = String::with_capacity(folded.len());
    while let Some(c) = rest.next() {
        let ends =
            before.is_some_and(char::is_alphabetic) && !rest.peek().is_some_and(|next| next.is_alphabetic());
        spelled.push(if c == SIGMA && ends { FINAL_SIGMA } else { c });
        before = Some(c);
    }
    Some(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_is_simple_and_not_full() {
        for (text, folded) in [
            ("ADA", "ada"),
            ("ΧΡΉΣΤΗΣ", "χρήστησ"),
            ("χρήστης", "χρήστησ"),
            ("STRAßE", "straße"),
            ("GROẞ", "groß"),
            ("straße", "straße"),
            ("ŉ", "ŉ"),
            ("ǅ", "ǆ"),
            ("ſ", "s"),
            ("\u{212a}", "k"),
            ("I", "i"),
            ("ı", "ı"),
            ("İ", "İ"),
            ("ꭰ", "Ꭰ"),
            ("Ꭰ", "Ꭰ"),
            ("ᾼ", "ᾳ"),
            ("ᲐᲑ", "აბ"),
            ("ИВАН", "иван"),
            ("ֆՖ", "ֆֆ"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
            assert_eq!(fold(folded), folded, "{text}");
        }
    }

    #[test]
    fn greek_is_spelled_with_a_final_sigma() {
        for (folded, spelled) in [
            ("χρήστησ@example.com", Some("χρήστης@example.com")),
            ("σωκράτησ.σαμ-οσ", Some("σωκράτης.σαμ-ος")),
            ("σ@example.com", Some("σ@example.com")),
            ("ada@example.com", None),
        ] {
            assert_eq!(in_greek_spelling(folded).as_deref(), spelled);
        }
        assert_eq!(in_small_letters("ΧΡΉΣΤΗΣ χρήστης İ ẞ"), "χρήστησ χρήστης İ ß");
    }
}
