//! Digests of texts that the table should not hold.

use aws_lc_rs::digest;
use aws_lc_rs::digest::SHA256;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// SHA-256 of `parts`, each with its length in front so that no two lists share a digest, in unpadded base64url.
pub(crate) fn of(parts: &[&[u8]]) -> String {
    let mut context = digest::Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    URL_SAFE_NO_PAD.encode(context.finish())
}

#[cfg(test)]
mod tests {
    #[test]
    fn where_one_part_ends_and_the_next_begins_counts() {
        assert_ne!(super::of(&[b"ab", b"c"]), super::of(&[b"a", b"bc"]));
    }
}
