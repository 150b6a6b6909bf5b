//! libFuzzer on [`swarmseal_fuzz::rows_and_index`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swarmseal_fuzz::rows_and_index(data));
