//! Any item of the table.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::item::check(data));
