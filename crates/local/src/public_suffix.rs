//! Wildcard origins below a public suffix, such as `https://*.github.io`: anybody gets a name there, so anybody's page could call.
//!
//! The list (<https://publicsuffix.org>) is as old as the crate `psl`. The functions do not look at it: it has megabytes.

use auth_core::config::{self, Origins};

/// What is wrong with `origins` as a value of `CORS_ALLOWED_ORIGINS`: a line for each fault.
///
/// # Errors
/// The lines.
pub fn check(origins: &str) -> Result<(), String> {
    let lookup = |name: &str| (name == "CORS_ALLOWED_ORIGINS").then(|| origins.to_owned());
    let origins = config::from_lookup(&lookup, |settings| Some(Origins::read(settings)));
    let origins = origins.map_err(|faults| faults.to_string())?;
    let faults: Vec<String> =
        origins.wildcard_domains().filter(|domain| is_public(domain)).map(fault).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

fn is_public(domain: &str) -> bool {
    psl::suffix_str(domain) == Some(domain)
}

fn fault(domain: &str) -> String {
    format!(
        "CORS_ALLOWED_ORIGINS allows every page below {domain}, which is a public suffix: anybody can have a name there"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_below_a_public_suffix_is_a_fault() {
        for domain in
            ["co.uk", "github.io", "vercel.app", "netlify.app", "pages.dev", "s3.amazonaws.com", "x.ck"]
        {
            assert_eq!(check(&format!("https://app.example.com,https://*.{domain}")), Err(fault(domain)));
        }
        for origins in [
            "",
            "*",
            "https://co.uk",
            "https://*.example.com",
            "https://*.preview.example.co.uk",
            "https://*.team.vercel.app",
            "http://*.app.localhost:3000",
            "https://*.unknown.example",
        ] {
            assert_eq!(check(origins), Ok(()), "{origins}");
        }
    }

    #[test]
    fn what_functions_refuse_is_a_fault_too() {
        assert!(check("https://*.com").is_err_and(|fault| fault.contains("is not a wildcard such as")));
    }
}
