//! libFuzzer on [`swarmseal_fuzz::shown`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swarmseal_fuzz::shown(data));
