//! libFuzzer on [`swarmseal_fuzz::paths`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swarmseal_fuzz::paths(data));
