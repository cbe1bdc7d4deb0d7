//! Words of every script that UAX 31 table 5 recommends, and the mixtures of scripts that UTS 39 allows.

use super::super::Address;

/// Script or language, and words in it.
const WORDS: &[(&str, &[&str])] = &[
    ("Latin, French", &["garçon", "œuvre", "Noël"]),
    ("Latin, German", &["jürgen", "straße", "GROẞ"]),
    ("Latin, Vietnamese", &["nguyễn", "trường", "ĐẶNG"]),
    ("Latin, Yoruba", &["ẹ̀kọ́", "ọ̀rọ̀", "Ṣọlá"]),
    ("Latin, Lithuanian", &["ąžuolas"]),
    ("Latin, Turkish", &["ışık", "çağ", "ığdır"]),
    ("Latin, Icelandic", &["þórður"]),
    ("Latin, Catalan", &["col·lecció"]),
    ("Greek", &["χρήστης", "Ελλάδα"]),
    ("Cyrillic, Russian", &["иван", "ёлка", "ПОЧТА"]),
    ("Cyrillic, Ukrainian", &["україна", "ґанок"]),
    ("Cyrillic, Kazakh", &["қазақстан"]),
    ("Cyrillic, Serbian", &["ђорђе"]),
    ("Armenian", &["հայաստան", "Երևան"]),
    ("Hebrew", &["ישראל", "שָׁלוֹם", "צ׳ק", "צה״ל"]),
    ("Arabic", &["محمد", "مُحَمَّد", "القاهرة"]),
    ("Arabic, Persian", &["ایران", "می\u{200c}خواهم"]),
    ("Arabic, Urdu", &["پاکستان", "ڈاکٹر"]),
    ("Thaana", &["ދިވެހި", "މާލެ"]),
    ("Devanagari, Hindi", &["हिन्दी", "प्रिया", "लड़का"]),
    ("Devanagari, Marathi", &["मराठी", "र्‍यास"]),
    ("Devanagari, Nepali", &["नेपाल"]),
    ("Bengali", &["বাংলা", "প্রিয়া", "উৎসব"]),
    ("Gurmukhi", &["ਪੰਜਾਬੀ", "ਸਿੰਘ"]),
    ("Gujarati", &["ગુજરાતી", "કૃષ્ણ"]),
    ("Oriya", &["ଓଡ଼ିଆ", "କୃଷ୍ଣ"]),
    ("Tamil", &["தமிழ்", "ஸ்ரீ"]),
    ("Telugu", &["తెలుగు", "కృష్ణ"]),
    ("Kannada", &["ಕನ್ನಡ", "ಕೃಷ್ಣ"]),
    ("Malayalam", &["മലയാളം", "കൃഷ്ണൻ"]),
    ("Sinhala", &["සිංහල", "ශ්\u{200d}රී"]),
    ("Thai", &["น้ำ", "ประเทศไทย", "สมชาย"]),
    ("Lao", &["ລາວ", "ນ້ຳ", "ໜັງສື"]),
    ("Tibetan", &["བོད", "བཀྲ་ཤིས"]),
    ("Myanmar", &["မြန်မာ", "ကြွက်"]),
    ("Georgian", &["საქართველო"]),
    ("Hangul", &["한국어", "김철수"]),
    ("Ethiopic", &["ኢትዮጵያ", "አማርኛ"]),
    ("Khmer", &["ខ្មែរ", "កម្ពុជា"]),
    ("Hiragana", &["ひらがな", "がっこう"]),
    ("Katakana", &["カタカナ", "メール", "ジョン・スミス"]),
    ("Bopomofo", &["ㄅㄆㄇㄈ"]),
    ("Han", &["用户", "中文", "漢字", "𠮷野"]),
    ("Japanese", &["日本語のメール", "々木", "高橋ひろし"]),
];

/// Labels of several scripts that UTS 39 §5.2 calls highly restrictive, with characters of no script of their own.
const MIXTURES: &[&str] = &[
    "gmoストア",
    "tシャツ",
    "日本語abc",
    "nhkニュース速報",
    "中文abc",
    "abc한국어",
    "韓國한국abc",
    "abcㄅ中",
    "中ㄅ",
    "東京タワー2026",
    "カフェ-東京",
    "ひらがな123",
    "한국-2026",
    "用户42",
];

/// Labels whose scripts may not be mixed.
const REJECTED_MIXTURES: &[&str] = &[
    "pаypal",
    "αpple",
    "gооgle",
    "иванivan",
    "ελλάδαnet",
    "иваνος",
    "abcไทย",
    "abcहिन्दी",
    "한국ひら",
    "ㄅひ",
    "ㄅ한",
    "中文русский",
    "ストアа",
    "عربעברית",
    "abcعرب",
    "٣۳٤",
];

/// Fails with all of `texts` that are not `accepted`.
fn assert_all(texts: impl IntoIterator<Item = String>, accepted: bool) {
    let wrong = texts.into_iter().filter(|text| parse(text).is_some() != accepted);
    let wrong: Vec<_> = wrong.map(|text| format!("{text} {}", text.escape_unicode())).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn parse(text: &str) -> Option<Address> {
    text.parse().ok()
}

#[test]
fn accepts_words_of_every_recommended_script_in_both_parts() {
    let forms = |word: &&str| {
        [
            format!("{word}@example.com"),
            format!("{word}.{word}-1@example.com"),
            format!("a@{word}.example"),
            format!("{word}@{word}.example"),
        ]
    };
    assert_all(WORDS.iter().flat_map(|(_, words)| words.iter().flat_map(forms)), true);
}

#[test]
fn a_domain_of_every_script_is_one_domain_in_unicode_and_in_ascii() {
    for (script, words) in WORDS {
        for word in *words {
            let unicode = format!("{word}.example");
            let ascii = idna::domain_to_ascii(&unicode).expect("a domain");
            let lookup = |domain: &str| parse(&format!("a@{domain}")).map(|address| address.lookup);
            assert_eq!(lookup(&ascii), lookup(&unicode), "{script}: {unicode} {ascii}");
            assert!(lookup(&ascii.to_uppercase()).is_some(), "{script}: {ascii}");
            assert_eq!(lookup(&ascii.to_uppercase()), lookup(&unicode), "{script}: {unicode} {ascii}");
        }
    }
}

#[test]
fn accepts_latin_with_japanese_korean_or_han_and_bopomofo() {
    let forms = |label: &&str| [format!("{label}@example.com"), format!("a@{label}.example")];
    assert_all(MIXTURES.iter().flat_map(forms), true);
}

#[test]
fn rejects_other_mixtures_of_scripts() {
    let forms = |label: &&str| {
        let ascii = idna::domain_to_ascii(&format!("{label}.example")).unwrap_or_default();
        [format!("{label}@example.com"), format!("a@{label}.example"), format!("a@{ascii}")]
    };
    assert_all(REJECTED_MIXTURES.iter().flat_map(forms), false);
}

#[test]
fn each_label_of_a_domain_may_have_a_script_of_its_own() {
    for text in ["a@почта.example", "иван@почта.рф", "ivan@почта.example.рф", "用户@ストア.한국"]
    {
        assert!(parse(text).is_some(), "{text}");
    }
}

/// RFC 5892 appendix A.
#[test]
fn contextual_characters_are_accepted_in_their_context_alone() {
    for (label, accepted) in [
        ("می\u{200c}خواهم", true),
        ("ශ්\u{200d}රී", true),
        ("क्\u{200c}ष", true),
        ("ab\u{200c}cd", false),
        ("ab\u{200d}cd", false),
        ("می\u{200d}خواهم", false),
        ("\u{200c}می", false),
        ("می\u{200c}", false),
        ("ا\u{200c}ب", false),
        ("क\u{200d}ष", false),
        ("col·lecció", true),
        ("צ׳ק", true),
        ("׳צק", false),
        ("ジョン・スミス", true),
        ("한국・어", false),
        ("o\u{2019}brien", false),
        ("é\u{2010}a", false),
    ] {
        for text in [format!("{label}@example.com"), format!("a@{label}.example")] {
            assert_eq!(parse(&text).is_some(), accepted, "{text} {}", text.escape_unicode());
        }
    }
}

#[test]
fn rejects_marks_that_belong_to_no_letter_or_cannot_be_seen() {
    for label in
        ["\u{301}ada", "a-\u{301}b", "e\u{301}\u{301}", "i\u{307}da", "ada\u{fe0f}é", "a\u{34f}é", "\u{93c}क"]
    {
        assert!(parse(&format!("{label}@example.com")).is_none(), "{}", label.escape_unicode());
    }
    for label in
        ["\u{301}ada", "e\u{301}\u{301}", "ada\u{fe0f}é", "a\u{34f}é", "a\u{ad}b", "a\u{3002}b", "a\u{ff0e}b"]
    {
        assert!(parse(&format!("a@{label}.example")).is_none(), "{}", label.escape_unicode());
    }
}

#[test]
fn a_letter_and_its_compatibility_form_are_one_address() {
    for (form, letters) in [("น้ำ", "น้ํา"), ("ນ້ຳ", "ນ້ໍາ"), ("Երևան", "Երեւան"), ("ໜັງສື", "ຫນັງສື")]
    {
        let lookup = |word: &str| parse(&format!("{word}@{word}.example")).map(|address| address.lookup);
        assert!(lookup(form).is_some(), "{form}");
        assert_eq!(lookup(form), lookup(letters), "{form}");
    }
    for form in ["ﬁn", "ａda", "𝐚da", "ǆ", "ŀl", "㎏", "①", "ㅋㅋ", "ｱｱ"] {
        assert!(parse(&format!("{form}@example.com")).is_none(), "{form}");
    }
}
