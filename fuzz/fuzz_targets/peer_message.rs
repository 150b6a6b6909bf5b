//! libFuzzer on [`swarmseal_fuzz::peer_message`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swarmseal_fuzz::peer_message(data));
