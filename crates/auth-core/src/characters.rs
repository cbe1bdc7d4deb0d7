//! Characters that make a text something else than it looks like.

/// Whether a character breaks a line or turns the direction of what follows: nothing of a log, a header or a list of names is then
/// where it seems to be ("Trojan Source", CVE-2021-42574). The marks that only hint at a direction are left alone: right-to-left
/// names need them.
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        // Line and paragraph separator.
        || matches!(c, '\u{2028}' | '\u{2029}')
        // Embeddings, overrides and isolates.
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        // A byte order mark.
        || c == '\u{feff}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_or_turns_a_line_is_deceptive_and_what_people_write_is_not() {
        for c in "\0\r\n\t\u{1b}\u{7f}\u{85}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}\u{feff}".chars()
        {
            assert!(is_deceptive(c), "{c:?}");
        }
        // ZWNJ is part of Persian, ZWJ of emoji, RLM of right-to-left names.
        for c in "a Z9é\u{301}木🦀\u{200c}\u{200d}\u{200f}'\"<".chars() {
            assert!(!is_deceptive(c), "{c:?}");
        }
    }
}
