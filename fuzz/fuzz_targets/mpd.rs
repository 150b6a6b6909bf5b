//! libFuzzer on [`swarmseal_fuzz::mpd`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swarmseal_fuzz::mpd(data));
