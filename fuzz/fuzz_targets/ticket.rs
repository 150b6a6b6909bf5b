//! libFuzzer on [`swarmseal_fuzz::ticket`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swarmseal_fuzz::ticket(data));
