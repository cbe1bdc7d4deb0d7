//! Any header and claims under a valid signature.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::claims::check(data));
