//! The proofs in JOIN and ANNOUNCE, made by peers and checked by the tracker.

use alloc::vec::Vec;

use subtle::ConstantTimeEq;

use super::client::{Announce, Join, TrackRanges};
use super::limits::SIGNAL_VERSION;
use crate::content::{PublicKey, SwarmId, SwarmSecret};
use crate::identity::EphemeralKeys;

impl Join {
    /// Asks for admission of `keys` to the swarm that `secret` belongs to. `nonce` is WELCOME's.
    pub fn sign(
        keys: &EphemeralKeys,
        secret: &SwarmSecret,
        swarm: SwarmId,
        nonce: &[u8; 32],
        announce: Option<Announce>,
    ) -> Self {
        let key = keys.public();
        let proof = secret_proof(secret, nonce, &key);
        let signature = keys.sign(&signed_join(nonce, swarm, &proof));
        Self {
            version: SIGNAL_VERSION,
            swarm,
            key,
            proof,
            signature,
            announce,
        }
    }

    /// Whether the sender knows `secret`. Takes the same time whatever the proof.
    pub fn proves(&self, secret: &SwarmSecret, nonce: &[u8; 32]) -> bool {
        secret_proof(secret, nonce, &self.key).ct_eq(&self.proof).into()
    }

    /// Whether the sender holds the key that it wants admitted.
    pub fn is_signed(&self, nonce: &[u8; 32]) -> bool {
        self.key
            .verify(&signed_join(nonce, self.swarm, &self.proof), &self.signature)
    }
}

impl Announce {
    /// States what the holder of `keys` has of `swarm`. `nonce` is WELCOME's; `seq` counts up on one connection.
    pub fn sign(
        keys: &EphemeralKeys,
        swarm: SwarmId,
        nonce: &[u8; 32],
        ranges: Vec<TrackRanges>,
        expires_s: u32,
        seq: u64,
    ) -> Self {
        let signature = keys.sign(&signed_announce(swarm, nonce, &ranges, expires_s, seq));
        Self {
            ranges,
            expires_s,
            seq,
            signature,
        }
    }

    /// Whether the holder of `key` states this about `swarm` on the connection of `nonce`.
    pub fn is_signed(&self, key: &PublicKey, swarm: SwarmId, nonce: &[u8; 32]) -> bool {
        let message = signed_announce(swarm, nonce, &self.ranges, self.expires_s, self.seq);
        key.verify(&message, &self.signature)
    }
}

fn secret_proof(secret: &SwarmSecret, nonce: &[u8; 32], key: &PublicKey) -> [u8; 32] {
    secret.mac(JOIN_CONTEXT, &[nonce, &key.0])
}

fn signed_join(nonce: &[u8; 32], swarm: SwarmId, proof: &[u8; 32]) -> Vec<u8> {
    [JOIN_CONTEXT.as_bytes(), nonce, &swarm.0, proof].concat()
}

fn signed_announce(
    swarm: SwarmId,
    nonce: &[u8; 32],
    ranges: &[TrackRanges],
    expires_s: u32,
    seq: u64,
) -> Vec<u8> {
    let mut out = [ANNOUNCE_CONTEXT, nonce, &swarm.0].concat();
    out.extend_from_slice(&seq.to_be_bytes());
    out.extend_from_slice(&expires_s.to_be_bytes());
    out.extend_from_slice(&count(ranges.len()));
    for track in ranges {
        out.extend_from_slice(&track.track.0.to_be_bytes());
        out.extend_from_slice(&count(track.ranges.len()));
        for range in &track.ranges {
            out.extend_from_slice(&range.first.to_be_bytes());
            out.extend_from_slice(&range.count.to_be_bytes());
        }
    }
    out
}

/// Lists are validated to be far shorter before a signature is looked at.
fn count(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes()
}

const JOIN_CONTEXT: &str = "swarmseal/join/1";
const ANNOUNCE_CONTEXT: &[u8] = b"swarmseal/announce/1";
