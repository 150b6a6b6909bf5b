//! libFuzzer on [`swarmseal_fuzz::proof_of_identity`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swarmseal_fuzz::proof_of_identity(data));
