//! libFuzzer on [`swarmseal_fuzz::hls`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swarmseal_fuzz::hls(data));
