//! libFuzzer on [`swarmseal_fuzz::candidate`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swarmseal_fuzz::candidate(data));
