//! Every address that the first edition accepted is accepted: its users sign in with it.

use email_address::{EmailAddress, Options};
use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_security::{GeneralSecurityProfile, MixedScript};

use super::super::Address;
use super::super::label::letters_of;

/// The rules of the first edition, which used the crate `email_address` for the syntax.
fn was_accepted(text: &str) -> bool {
    let options = Options::default().without_display_text().without_domain_literal().with_required_tld();
    let Ok(parsed) = EmailAddress::parse_with_options(text, options) else { return false };
    let (domain, spelling) = idna::domain_to_unicode(parsed.domain());
    let is_lookalike = |part: &str| {
        !part.is_ascii()
            && (!part.is_single_script() || part.chars().any(|c| !c.is_ascii() && !c.identifier_allowed()))
    };
    !parsed.local_part().starts_with('"')
        && !is_lookalike(parsed.local_part())
        && spelling.is_ok()
        && !domain.split('.').any(is_lookalike)
}

/// Whether a text is in no language: symbols, or a mark without a letter or twice in a row.
fn is_defective(text: &str) -> bool {
    let categories = CodePointMapData::<GeneralCategory>::new();
    let word =
        GeneralCategoryGroup::Letter.union(GeneralCategoryGroup::Mark).union(GeneralCategoryGroup::Number);
    let symbol = |c: char| !c.is_ascii() && !word.contains(categories.get(c));
    let marks = |(a, b): (char, char)| is_combining_mark(b) && (!a.is_alphanumeric() || a == b);
    text.chars().any(symbol) || std::iter::once('.').chain(text.nfd()).zip(text.nfd()).any(marks)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn accepts_what_the_first_edition_accepted(
        local in "[!#-'*+/-9=?A-Z^-~.-]{1,12}|[a-z\u{c0}-\u{24f}]{1,8}|[\u{370}-\u{3ff}]{1,6}|[\u{400}-\u{4ff}]{1,6}|\
                 [\u{5d0}-\u{5ea}\u{621}-\u{6d3}]{1,6}|[\u{900}-\u{1fff}]{1,3}|[\u{3041}-\u{30ff}\u{4e00}-\u{9fff}]{1,6}|[\u{ac00}-\u{d7a3}]{1,4}",
        domain in "[!#-'*+/-9=?A-Z^-~-]{1,6}|[a-z\u{c0}-\u{24f}]{1,8}|[\u{370}-\u{4ff}]{1,4}|[\u{5d0}-\u{5ea}]{1,6}|\
                  [\u{900}-\u{1fff}]{1,3}|[\u{3041}-\u{30ff}\u{4e00}-\u{9fff}]{1,6}|[\u{ac00}-\u{d7a3}]{1,4}",
    ) {
        let text: String = format!("{local}@{domain}.example").nfc().collect();
        if was_accepted(&text) && !is_defective(&text) {
            prop_assert!(text.parse::<Address>().is_ok(), "{}", text.escape_unicode());
        }
    }
}

/// No key of the first edition has letters that are looked up in another form now.
#[test]
fn no_address_of_the_first_edition_has_compatibility_characters() {
    for c in '\0'..=char::MAX {
        let Some(letters) = letters_of(c) else { continue };
        assert!(!was_accepted(&format!("{c}@example.com")), "{c} {letters}");
    }
}
