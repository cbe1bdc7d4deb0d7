//! Which passwords may be chosen (OWASP ASVS 5 §6.2): any characters, no composition rules, none that are easy to guess.

use tokio::task::JoinError;
use zxcvbn::{Score, zxcvbn};

use super::Password;
use crate::user::Names;

/// What a new password must be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordRules {
    /// Fewest Unicode code points after NFC.
    pub min_length: usize,
}

/// Why a password may not be chosen. The text is for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Fewer code points than configured.
    #[error("The password has fewer than {0} characters.")]
    TooShort(usize),
    /// More than [`Password::MAXIMUM_LENGTH`] code points.
    #[error("The password has more than {max} characters.", max = Password::MAXIMUM_LENGTH)]
    TooLong,
    /// The estimator finds it on a list of common passwords, or made of the user's own data, a pattern or a word.
    #[error("The password is too easy to guess.{}{}", if .0.is_empty() { "" } else { " " }, .0)]
    Guessable(String),
}

/// Code points that the estimator is given at a time. Its cost grows with the cube of the length, and an attacker chooses the
/// text: 100 code points of the worst kind take a second, 32 take about ten milliseconds. A password of which one part is
/// hard to guess is hard to guess.
const ESTIMATED_AT_A_TIME: usize = 32;

/// Checks a new password against the rules. `about` is what an attacker knows of the user: the address and names.
///
/// The estimator (zxcvbn) refuses what it expects to be guessed in fewer than 10⁶ tries: the limits on login attempts stop
/// an attacker long before that many. It is some milliseconds of arithmetic: not for a thread that others wait on.
///
/// # Errors
///
/// Why it may not be chosen.
pub fn check(password: &Password, about: &[&str], rules: PasswordRules) -> Result<(), Weakness> {
    let length = password.length();
    if length < rules.min_length {
        return Err(Weakness::TooShort(rules.min_length));
    }
    if length > Password::MAXIMUM_LENGTH {
        return Err(Weakness::TooLong);
    }
    let about: Vec<&str> = about.iter().flat_map(|text| parts(text)).collect();
    let Some(own) = without(password.as_str(), &about) else {
        return Err(Weakness::Guessable("It is made of your address or name.".to_owned()));
    };
    let code_points: Vec<char> = own.chars().collect();
    let mut warning = None;
    for part in code_points.chunks(ESTIMATED_AT_A_TIME) {
        let estimate = zxcvbn(&part.iter().collect::<String>(), &about);
        if estimate.score() > Score::One {
            return Ok(());
        }
        warning = warning.or_else(|| estimate.feedback().and_then(zxcvbn::feedback::Feedback::warning));
    }
    Err(Weakness::Guessable(warning.map(|warning| warning.to_string()).unwrap_or_default()))
}

/// [`check`] for somebody with this address and these names, on a thread of its own.
///
/// # Errors
///
/// If the thread died; within, why the password may not be chosen.
pub async fn check_for(
    email: &str,
    names: &Names,
    password: &Password,
    rules: PasswordRules,
) -> Result<Result<(), Weakness>, JoinError> {
    let names = [&names.display_name, &names.first_name, &names.last_name];
    let about: Vec<String> = names.into_iter().flatten().cloned().chain([email.to_owned()]).collect();
    let password = password.clone();
    let check = move || check(&password, &about.iter().map(String::as_str).collect::<Vec<_>>(), rules);
    tokio::task::spawn_blocking(check).await
}

/// Builds the estimator's word lists and expressions, which it would otherwise do for the first password. For a function that
/// starts: it has a whole CPU then, and a fraction of one when the first request comes.
pub fn build_estimator() {
    // Something for each of its matchers: a repetition, words, a date, a walk over the keyboard, a sequence.
    let _ = zxcvbn("p4sswordp4ssword 1.2.1990 qwerty abcd", &[]);
}

/// Code points that have to be left when everything that an attacker knows is taken out.
const LEAST_OWN: usize = 6;

/// The password without what an attacker knows, in whatever case; `None` if too little is left. The estimator would find it
/// by itself, but not where a piece ends in the middle of it.
fn without(password: &str, about: &[&str]) -> Option<String> {
    let folded = password.to_lowercase();
    let mut known: Vec<String> = about.iter().map(|text| text.to_lowercase()).collect();
    known.retain(|text| text.chars().count() > 2 && folded.contains(text.as_str()));
    if known.is_empty() {
        return Some(password.to_owned());
    }
    known.sort_by_key(|text| std::cmp::Reverse(text.len()));
    let own = known.iter().fold(folded, |own, text| own.replace(text.as_str(), ""));
    (own.chars().filter(|c| c.is_alphanumeric()).count() >= LEAST_OWN).then_some(own)
}

/// A text, the sides of an address, and the words: `ada.lovelace@example.com` also as `ada.lovelace`, `example.com`, `ada`,
/// `lovelace` and `example`.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 2);
    std::iter::once(text).chain(text.split('@')).chain(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: PasswordRules = PasswordRules { min_length: 8 };
    const ABOUT: &[&str] = &["ada.lovelace@example.com", "Ada Lovelace"];

    fn judge(password: &str) -> Result<(), Weakness> {
        check(&Password::new(password), ABOUT, RULES)
    }

    #[test]
    fn a_password_that_is_hard_to_guess_is_taken_whatever_it_is_made_of() {
        for password in
            ["correct horse battery staple", "xkq vbn wpf", "ゆきのなかのとりのこえ", "  v9$kQ!zR2  "]
        {
            assert_eq!(judge(password), Ok(()), "{password}");
        }
    }

    #[test]
    fn common_passwords_and_the_users_own_data_are_refused() {
        for password in [
            "password",
            "Passw0rd1",
            "12345678",
            "qwertyuiop",
            "aaaaaaaaaa",
            "lovelace",
            "ada.lovelace",
            "Lovelace1",
        ] {
            assert!(
                matches!(judge(password), Err(Weakness::Guessable(_))),
                "{password}: {:?}",
                judge(password)
            );
        }
    }

    #[test]
    fn building_the_estimator_changes_no_answer() {
        // The first of these builds it, unless another test has.
        let passwords =
            ["password", "qwertyuiop", "Lovelace1", "13.05.1984", "xkq vbn wpf", "abcdefgh", "p4ssw0rd!"];
        let before = passwords.map(judge);
        build_estimator();
        assert_eq!(passwords.map(judge), before);
    }

    #[test]
    fn length_counts_code_points_after_nfc() {
        assert_eq!(judge("xkqvbnw"), Err(Weakness::TooShort(8)));
        assert_eq!(
            judge(&"e\u{301}".repeat(7)),
            Err(Weakness::TooShort(8)),
            "seven letters, fourteen code points typed"
        );
        assert_eq!(judge(&"xkqv bnwp".repeat(15)), Err(Weakness::TooLong));
    }

    #[test]
    fn the_users_own_data_is_found_however_long_it_is() {
        let refuse = |password: &str, about: &[&str]| {
            assert!(check(&Password::new(password), about, RULES).is_err(), "{password}");
        };
        let address = "jonathan.smithson@department.example.com";
        for password in
            [address.to_owned(), address.to_uppercase(), address.repeat(2), format!("{address}1234")]
        {
            refuse(&password, &[address]);
        }
        let name = "Ada Augusta King Countess of Lovelace Byron";
        for password in [name.to_owned(), name.replace(' ', ""), name.replace(' ', "-")] {
            refuse(&password, &["ada@example.com", name]);
        }
        assert_eq!(judge("Lovelace xkq vbn wpf"), Ok(()), "what is left is hard enough");
    }

    #[test]
    fn a_long_password_is_as_good_as_its_best_part() {
        assert!(judge(&"password".repeat(8)).is_err());
        assert_eq!(judge(&format!("{}xkq vbn wpf zzt", "password".repeat(4))), Ok(()));
    }

    #[test]
    fn two_spellings_of_one_letter_are_one_password() {
        assert_eq!(Password::new("u\u{308}"), Password::new("\u{fc}"));
        assert_ne!(Password::new(" a"), Password::new("a"), "never trimmed");
    }
}
