//! A valid token, edited, or any text at all: it verifies only if it is the valid token.

use std::sync::LazyLock;

use auth_core::token::access::AccessVerifier;
use auth_core::token::refresh::RefreshKeys;

use super::keys::{ALGORITHMS, NOW, access, access_token, refresh, refresh_token};

static ACCESS: LazyLock<Vec<(String, AccessVerifier)>> =
    LazyLock::new(|| ALGORITHMS.map(|algorithm| (access_token(algorithm), access(algorithm).1)).into());
static REFRESH: LazyLock<(String, RefreshKeys)> = LazyLock::new(|| (refresh_token(), refresh()));

/// The first byte says which token is edited; the rest are edits of four bytes each, or with 255 the whole text.
pub fn check(data: &[u8]) {
    let Some((which, edits)) = data.split_first() else { return };
    let which = usize::from(*which);
    let valid = ACCESS.get(which).map_or(&REFRESH.0, |(token, _)| token);
    let text = if which == 255 { edits.to_vec() } else { edit(valid.as_bytes().to_vec(), edits) };
    let text = String::from_utf8_lossy(&text);
    for (token, verifier) in ACCESS.iter() {
        assert_eq!(verifier.verify(&text, NOW).is_ok(), text == *token, "{text}");
    }
    assert_eq!(REFRESH.1.verify(&text, NOW).is_ok(), text == REFRESH.0, "{text}");
}

fn edit(mut text: Vec<u8>, edits: &[u8]) -> Vec<u8> {
    for edit in edits.chunks_exact(4) {
        let [kind, high, low, byte] = edit else { continue };
        let at = usize::from(u16::from_be_bytes([*high, *low]));
        // The end is where another spelling begins.
        let at = if at == 0xffff { text.len() } else { at % (text.len() + 1) };
        match kind % 5 {
            0 if at < text.len() => text[at] = *byte,
            1 => text.insert(at, *byte),
            2 => drop(text.drain(at..text.len().min(at + usize::from(*byte)))),
            3 => text.extend_from_within(at..text.len().min(at + usize::from(*byte))),
            _ => text.truncate(at),
        }
    }
    text
}
