//! Addresses, names and passwords: what is taken once is taken again as the same, whatever its case.

use auth_core::address::Address;
use auth_core::password::rules::PasswordRules;
use auth_core::password::{Password, rules};
use auth_core::user;

/// An address and a password, with a line break between them.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (typed, password) = text.split_once('\n').unwrap_or((text, text));
    if let Ok(address) = typed.parse::<Address>() {
        assert_eq!(address.as_str().parse(), Ok(address.clone()), "as it was given");
        let lookup = |text: &str| text.parse::<Address>().map(|address| address.lookup().clone());
        let same = Ok(address.lookup().clone());
        assert_eq!(lookup(address.lookup().as_str()), same, "as it is looked up");
        assert_eq!(lookup(address.normalised()), same, "as it is handed out");
        assert_eq!(lookup(&typed.to_ascii_uppercase()), same, "in capitals");
        assert!(address.as_str().len() <= 254 && address.lookup().as_str().len() <= 254);
        assert!(!address.as_str().chars().any(|c| c.is_control() || c.is_whitespace()));
    }
    if let Ok(Some(name)) = user::name(typed) {
        assert_eq!(user::name(&name), Ok(Some(name.clone())));
        assert_eq!(name, name.trim());
        assert!(name.chars().count() <= user::MAXIMUM_NAME && !name.chars().any(char::is_control));
    }
    let password = Password::new(password);
    let chosen = rules::check(&password, &[typed], PasswordRules { min_length: 8 });
    assert!(chosen.is_err() || (8..=Password::MAXIMUM_LENGTH).contains(&password.length()));
}
