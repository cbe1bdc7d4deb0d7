//! Which addresses are accepted, and which are the same.

mod first_edition;
mod scripts;

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
        lookup("ada@b\u{fc}cher.example").map(|address| address.as_str().to_owned()),
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

#[test]
fn greek_capitals_and_both_small_sigmas_are_one_address() {
    let lookup = |text: &str| text.parse::<Address>().map(|address| address.lookup);
    let first = lookup("χρήστης@ελλάδας.example");
    assert!(first.is_ok());
    for other in ["ΧΡΉΣΤΗΣ@ελλάδας.example", "χρήστησ@ελλάδας.example", "χρήστης@ΕΛΛΆΔΑΣ.example"]
    {
        assert_eq!(lookup(other), first, "{other}");
    }
    assert_ne!(lookup("straße@example.com"), lookup("strasse@example.com"));
    assert_eq!(lookup("GROẞ@example.com"), lookup("groß@example.com"));
    assert_ne!(lookup("ıda@example.com"), lookup("ida@example.com"));
    assert_eq!(lookup("IDA@example.com"), lookup("ida@example.com"));
}

#[test]
fn the_normalised_address_keeps_its_domain() {
    for (given, normalised) in [
        (" Ada@Example.COM ", "ada@example.com"),
        ("Ada@xn--bcher-kva.example", "ada@bücher.example"),
        ("Χρήστης@ελλάδας.example", "χρήστης@ελλάδας.example"),
        ("IDA@STRAẞE.example", "ida@straße.example"),
    ] {
        let address = given.parse::<Address>().map(|address| address.normalised.into_string());
        assert_eq!(address.as_deref(), Ok(normalised), "{given}");
        assert_eq!(super::normalised(given.trim()), normalised, "{given}");
    }
}
