//! Who takes part: ephemeral keys, tickets, the handshake bound to both DTLS fingerprints.
