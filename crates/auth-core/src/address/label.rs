//! Which text may stand in a local part or in a domain label.
//!
//! Three published rules, applied to each label: letters, marks and digits of the scripts in modern use (UTS 39 §3.1, UAX 31
//! table 5), the contextual rules of RFC 5892 appendix A, and the restriction level "Highly Restrictive" of UTS 39 §5.2.

use icu_properties::CodePointMapData;
use icu_properties::props::JoiningType;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;
use unicode_script::{Script, UnicodeScript};
use unicode_security::GeneralSecurityProfile;
use unicode_security::general_security_profile::IdentifierType;
use unicode_security::mixed_script::AugmentedScriptSet;

const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// Canonical combining class of a virama (UAX 44 table 15).
const VIRAMA: u8 = 9;

/// Whether `label` has only characters that are allowed where they stand, in scripts that may be mixed.
pub(super) fn is_acceptable(label: &str) -> bool {
    if label.is_ascii() {
        return true;
    }
    let characters: Vec<char> = label.chars().collect();
    let allowed = characters.iter().enumerate().all(|(at, c)| c.is_ascii() || is_allowed(&characters, at));
    allowed && !has_doubled_mark(label) && !mixes_digits(&characters) && !mixes_scripts(&characters)
}

/// Whether a character that is not ASCII can be part of a label, wherever it stands.
pub(super) fn is_letter_mark_or_digit(c: char) -> bool {
    // Allowed by UTS 39 as "Inclusion", and disallowed in domain labels (RFC 5892 §2.6): dashes and an apostrophe that look like
    // ASCII characters.
    let punctuation = matches!(c, '\u{58a}' | '\u{2010}' | '\u{2019}' | '\u{2027}');
    // Rare letters of a script in modern use are in people's names: most of Han is of this type.
    let rare = c.identifier_type() == Some(IdentifierType::Uncommon_Use) && c.script().is_recommended();
    (c.identifier_allowed() || rare || c.script() == Script::Bopomofo) && !punctuation
}

/// Whether `c` joins or separates letters without a glyph of its own.
pub(super) const fn is_joiner(c: char) -> bool {
    matches!(c, ZERO_WIDTH_NON_JOINER | ZERO_WIDTH_JOINER)
}

/// The letters that a compatibility character stands for, if it is an ordinary letter of a script other than Latin: Thai and Lao
/// AM, the Armenian ligature ECH YIWN, the Lao digraphs. UTS 46 maps them in domains in the same way. Width variants and styled
/// letters of Latin stay what they are, and are rejected.
pub(super) fn letters_of(c: char) -> Option<String> {
    let letters: String = std::iter::once(c).nfkc().collect();
    let two = !letters.is_ascii() && letters.chars().count() > 1;
    let ordinary = letters.chars().all(is_letter_mark_or_digit) && !letters.chars().any(|c| c.is_ascii());
    (two && ordinary && !is_letter_mark_or_digit(c)).then_some(letters)
}

/// The contextual rules of RFC 5892 appendix A for the character at `at`; every other character is allowed anywhere or nowhere.
fn is_allowed(label: &[char], at: usize) -> bool {
    let (before, from) = label.split_at(at);
    let Some((&c, after)) = from.split_first() else { return false };
    match c {
        // A.1 and A.2.
        ZERO_WIDTH_NON_JOINER => follows_virama(before) || joins(before, after),
        ZERO_WIDTH_JOINER => follows_virama(before),
        // A.5 and A.6: geresh and gershayim.
        '\u{5f3}' | '\u{5f4}' => before.last().is_some_and(|c| matches!(c, '\u{591}'..='\u{5f2}')),
        // A.7: the Katakana middle dot.
        '\u{30fb}' => label.iter().any(|c| is_japanese(*c)),
        c => is_letter_mark_or_digit(c),
    }
}

fn follows_virama(before: &[char]) -> bool {
    before.last().is_some_and(|c| canonical_combining_class(*c) == VIRAMA)
}

/// RFC 5892 A.1: between a character that joins to its left neighbour and one that joins to its right neighbour.
fn joins(before: &[char], after: &[char]) -> bool {
    let types = CodePointMapData::<JoiningType>::new();
    let joining_type = |c: &char| types.get(*c);
    let visible = |joining: &JoiningType| *joining != JoiningType::Transparent;
    let left = before.iter().rev().map(joining_type).find(visible);
    let right = after.iter().map(joining_type).find(visible);
    matches!(left, Some(JoiningType::LeftJoining | JoiningType::DualJoining))
        && matches!(right, Some(JoiningType::RightJoining | JoiningType::DualJoining))
}

/// UTS 39 §5.4: a mark twice in a row looks like one mark.
fn has_doubled_mark(label: &str) -> bool {
    let doubled = |(a, b): (char, char)| a == b && canonical_combining_class(a) > VIRAMA;
    label.nfd().zip(label.nfd().skip(1)).any(doubled)
}

/// RFC 5892 A.8 and A.9: digits of two kinds that look alike.
fn mixes_digits(label: &[char]) -> bool {
    label.iter().any(|c| matches!(c, '\u{660}'..='\u{669}'))
        && label.iter().any(|c| matches!(c, '\u{6f0}'..='\u{6f9}'))
}

/// UTS 39 §5.2: more than one script, and not Latin with Japanese, Korean, or Han and Bopomofo. ASCII punctuation of a local part
/// and joiners belong to no script.
fn mixes_scripts(label: &[char]) -> bool {
    let lettered = |c: &&char| if c.is_ascii() { c.is_ascii_alphanumeric() } else { !is_joiner(**c) };
    let (mut all, mut without_latin) = (AugmentedScriptSet::default(), AugmentedScriptSet::default());
    for c in label.iter().filter(lettered) {
        let scripts = AugmentedScriptSet::for_char(*c);
        all.intersect_with(scripts);
        if !scripts.base.contains_script(Script::Latin) {
            without_latin.intersect_with(scripts);
        }
    }
    all.is_empty() && !(without_latin.jpan || without_latin.kore || without_latin.hanb)
}

const fn is_japanese(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}
