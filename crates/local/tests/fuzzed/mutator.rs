//! Inputs that are made of others by chance, the same ones in every run: what a search tries first, without its sense for
//! what is new. JSON is changed as bytes and as values, as few changes of bytes leave it JSON.

use auth_core::random::Random;
use serde_json::{Value, json};

/// What a parser may take for something else, and what is beyond a limit.
const WORDS: [&[u8]; 16] = [
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"\0",
    b"\r\n",
    b"\xff",
    b"\xe2\x80\xae",
    b"a\xcc\x81",
    b"%2f",
    b"..",
    b";",
    b"=",
    b"-1",
    b"18446744073709551616",
    b"1e999",
    b"null",
];

pub(crate) struct Mutator {
    random: Random,
    inputs: Vec<Vec<u8>>,
}

impl Mutator {
    /// `seed` says which inputs are made of `inputs`.
    pub(crate) fn new(inputs: Vec<Vec<u8>>, seed: u64) -> Self {
        Self { random: Random::seeded(seed), inputs }
    }

    /// One more input.
    pub(crate) fn input(&self) -> Vec<u8> {
        let mut input = self.any(&self.inputs).clone();
        for _ in 0..=self.below(3) {
            match serde_json::from_slice::<Value>(&input) {
                Ok(mut value) if self.below(4) > 0 => {
                    self.change_value(&mut value);
                    input = value.to_string().into_bytes();
                }
                _ => self.change_bytes(&mut input),
            }
        }
        input
    }

    fn change_bytes(&self, input: &mut Vec<u8>) {
        let start = self.below(input.len() + 1);
        let end = input.len().min(start + self.below(24));
        let insert = match self.below(5) {
            0 => return input.iter_mut().skip(start).take(1).for_each(|byte| *byte ^= 1 << self.below(8)),
            1 => Vec::new(),
            2 => input[start..end].repeat(2),
            3 => {
                let other = self.any(&self.inputs);
                let from = self.below(other.len() + 1);
                other[from..other.len().min(from + self.below(64))].to_vec()
            }
            _ => self.any(&WORDS).to_vec(),
        };
        input.splice(start..end, insert);
    }

    /// Goes down to a value by chance, and puts another in its place.
    fn change_value(&self, value: &mut Value) {
        let (stop, at) = (self.below(8) == 0, self.below(64));
        match value {
            Value::Object(members) if !stop && !members.is_empty() => {
                let at = at % members.len();
                if self.below(8) == 0 {
                    let name = members.keys().nth(at).cloned().unwrap_or_default();
                    members.remove(&name);
                } else if let Some(member) = members.values_mut().nth(at) {
                    self.change_value(member);
                }
            }
            Value::Array(values) if !stop && !values.is_empty() => {
                let at = at % values.len();
                self.change_value(&mut values[at]);
            }
            Value::String(text) if !stop => {
                let mut bytes = std::mem::take(text).into_bytes();
                // A body is JSON in a text.
                if let Ok(mut inner @ Value::Object(_)) = serde_json::from_slice(&bytes) {
                    self.change_value(&mut inner);
                    bytes = inner.to_string().into_bytes();
                } else {
                    self.change_bytes(&mut bytes);
                }
                *text = String::from_utf8_lossy(&bytes).into_owned();
            }
            other => *other = self.value(),
        }
    }

    fn value(&self) -> Value {
        self.any(&[
            Value::Null,
            json!(true),
            json!(-1),
            json!(u64::MAX),
            json!(0.5),
            json!(""),
            json!("2.0"),
            json!("\u{202e}\r\n\0"),
            json!("a".repeat(20_000)),
            json!([]),
            json!([[], "a"]),
            json!({}),
            json!({"a": {}}),
        ])
        .clone()
    }

    fn any<'a, T>(&self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn below(&self, bound: usize) -> usize {
        usize::from(u16::from_le_bytes(self.random.bytes().expect("randomness"))) % bound
    }
}
