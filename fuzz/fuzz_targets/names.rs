//! libFuzzer on [`swarmseal_fuzz::names`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swarmseal_fuzz::names(data));
