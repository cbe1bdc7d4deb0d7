//! Which proxy may say whom it forwards for.

use super::setting::Setting;
use super::{Settings, setting};
use crate::forwarding::TrustedProxy;
use crate::secret::Secret;

/// As for the secrets that sign with HS256: nobody guesses 256 bits.
const MINIMUM_BYTES: usize = 32;

impl TrustedProxy {
    /// Reads `TRUSTED_PROXY_SECRET` and `TRUSTED_PROXY_PREVIOUS_SECRET`. Without them no proxy is trusted.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        let current = secret(settings, &setting::TRUSTED_PROXY_SECRET);
        let previous = secret(settings, &setting::TRUSTED_PROXY_PREVIOUS_SECRET);
        if previous.is_some() && current.is_none() {
            settings.fault(
                &setting::TRUSTED_PROXY_PREVIOUS_SECRET,
                "has a value, and TRUSTED_PROXY_SECRET has none",
            );
        }
        Self::new([current, previous].iter().flatten().map(Secret::expose))
    }
}

/// A secret that a header carries as it is: HTTP trims what is around it, and a comma separates the lines of a header.
fn secret(settings: &mut Settings<'_>, setting: &Setting) -> Option<Secret> {
    let secret = settings.secret(setting)?;
    let text = secret.expose();
    if text.len() < MINIMUM_BYTES {
        settings.fault(setting, &format!("is shorter than {MINIMUM_BYTES} bytes"));
    } else if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',') {
        settings.fault(
            setting,
            "has a character that its header does not carry: use visible ASCII without commas",
        );
    }
    Some(secret)
}

#[cfg(test)]
mod tests {
    use super::super::from_lookup;
    use super::*;

    fn faults(current: &str, previous: &str) -> String {
        let lookup = |name: &str| match name {
            "TRUSTED_PROXY_SECRET" => Some(current.to_owned()),
            "TRUSTED_PROXY_PREVIOUS_SECRET" => Some(previous.to_owned()),
            _ => None,
        };
        let read = from_lookup(&lookup, |settings| Some(TrustedProxy::read(settings)));
        read.err().map(|faults| faults.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_secret_is_long_and_fits_into_a_header() {
        let good = "s".repeat(32);
        for (current, previous) in [("", ""), (&*good, ""), (&*good, &*good)] {
            assert_eq!(faults(current, previous), "");
        }
        assert_eq!(faults(&"s".repeat(31), ""), "TRUSTED_PROXY_SECRET is shorter than 32 bytes");
        for bad in [",", " ", "\n", "é", "\u{7f}"] {
            let fault = faults(&good, &format!("{good}{bad}"));
            assert!(fault.starts_with("TRUSTED_PROXY_PREVIOUS_SECRET has a character"), "{bad:?} {fault}");
            assert!(!fault.contains(&good), "{fault}");
        }
        assert!(faults("", &good).starts_with("TRUSTED_PROXY_PREVIOUS_SECRET has a value"));
    }
}
