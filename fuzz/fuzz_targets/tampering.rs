//! libFuzzer on [`swarmseal_fuzz::tampering`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swarmseal_fuzz::tampering(data));
