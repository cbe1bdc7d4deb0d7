//! Any place that a refresh token can be presented in.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::refresh::check(data));
