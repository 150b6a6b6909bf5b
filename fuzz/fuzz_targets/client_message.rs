//! libFuzzer on [`swarmseal_fuzz::client_message`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swarmseal_fuzz::client_message(data));
