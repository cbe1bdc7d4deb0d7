//! Any payload to the authorizer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::authorizer::check(data));
