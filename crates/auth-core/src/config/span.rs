//! Spans of time as settings: `900s`, `15m`, `1h`, `7d`.

use std::time::Duration;

/// Reads a whole number followed by `s`, `m`, `h` or `d`.
///
/// # Errors
///
/// A sentence that says what a span looks like.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let seconds = |unit| match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3_600),
        'd' => Some(86_400),
        _ => None,
    };
    let mut digits = text.chars();
    let unit = digits.next_back().and_then(seconds);
    let digits = digits.as_str();
    let count = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u64>().ok()).flatten();
    match (count, unit) {
        (Some(count), Some(unit)) => count
            .checked_mul(unit)
            .filter(|seconds| *seconds <= MAXIMUM.as_secs())
            .map(Duration::from_secs)
            .ok_or_else(|| "is longer than 10 years".to_owned()),
        _ => Err(format!("{text:?} is not a span of time such as 900s, 15m, 1h or 7d")),
    }
}

/// Keeps every sum of a timestamp and spans far inside what a JWT, DynamoDB and a JavaScript number hold.
const MAXIMUM: Duration = Duration::from_secs(3_650 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_a_number_and_a_unit() {
        for (text, seconds) in [("900s", 900), ("15m", 900), ("1h", 3_600), ("7d", 604_800), ("0s", 0)] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "s", "15", "1.5h", "-1s", "+1s", "1 h", "h1", "1w", "1ä", "99999999999999999999d", "4000d"]
        {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
