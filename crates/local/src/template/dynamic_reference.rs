//! Dynamic references to secrets: `{{resolve:secretsmanager:secret-id:SecretString:json-key:stage:version}}`.
//!
//! Source: "Get a secret or secret value from Secrets Manager" in the AWS CloudFormation User Guide.

/// Which secret a reference means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretReference<'t> {
    /// The name or ARN of the secret.
    pub id: &'t str,
    /// The key within a secret that is a JSON object, or nothing for the whole.
    pub key: &'t str,
    /// The id of a version, or nothing for the current one.
    pub version: &'t str,
}

/// Gives the value of a secret.
pub type Secrets<'a> = &'a dyn Fn(&SecretReference<'_>) -> Result<String, String>;

const OPENING: &str = "{{resolve:";

/// Replaces every dynamic reference in `text`.
///
/// # Errors
/// One line about the reference that cannot be resolved.
pub(super) fn resolve(text: &str, secrets: Secrets<'_>) -> Result<String, String> {
    let mut resolved = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPENING) {
        let (reference, remainder) =
            after.split_once("}}").ok_or_else(|| format!("{OPENING} is never closed by }}}}"))?;
        resolved.push_str(before);
        let Some(secret) = reference.strip_prefix("secretsmanager:") else {
            return Err(format!("{{{{resolve:{reference}}}}} is not known locally"));
        };
        // The id may be an ARN, with colons of its own; what follows it always starts with `SecretString`.
        let (id, part) = secret.split_once(":SecretString").unwrap_or((secret, ""));
        // `:json-key:version-stage:version-id`, each of which may be empty or left out.
        let mut parts = part.split(':').skip(1);
        let (key, version) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
        resolved.push_str(&secrets(&SecretReference { id, key, version })?);
        rest = remainder;
    }
    resolved.push_str(rest);
    Ok(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "the shape of a source of secrets")]
    fn named(secret: &SecretReference<'_>) -> Result<String, String> {
        Ok(format!("<{}|{}|{}>", secret.id, secret.key, secret.version))
    }

    #[test]
    fn a_reference_is_replaced_by_the_secret_that_it_names() {
        for (text, expected) in [
            ("plain", "plain"),
            ("{{resolve:secretsmanager:mine}}", "<mine||>"),
            ("{{resolve:secretsmanager:mine:SecretString}}", "<mine||>"),
            ("{{resolve:secretsmanager:mine:SecretString:key}}", "<mine|key|>"),
            ("{{resolve:secretsmanager:mine:SecretString:key::}}", "<mine|key|>"),
            ("{{resolve:secretsmanager:mine:SecretString:::v1}}", "<mine||v1>"),
            (
                "a{{resolve:secretsmanager:arn:aws:secretsmanager:r:1:secret:S:SecretString:key}}b",
                "a<arn:aws:secretsmanager:r:1:secret:S|key|>b",
            ),
        ] {
            assert_eq!(resolve(text, &named).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn an_unknown_or_broken_reference_is_a_fault() {
        assert_eq!(
            resolve("{{resolve:ssm:/x}}", &named),
            Err("{{resolve:ssm:/x}} is not known locally".to_owned())
        );
        assert_eq!(
            resolve("{{resolve:secretsmanager:x", &named),
            Err("{{resolve: is never closed by }}".to_owned())
        );
    }
}
