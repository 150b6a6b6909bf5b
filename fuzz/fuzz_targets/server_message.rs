//! libFuzzer on [`swarmseal_fuzz::server_message`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swarmseal_fuzz::server_message(data));
