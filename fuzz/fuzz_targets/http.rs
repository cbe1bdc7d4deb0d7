//! Any event to any function, with a real table behind it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::http::check(data));
