//! libFuzzer on [`swarmseal_fuzz::description`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swarmseal_fuzz::description(data));
