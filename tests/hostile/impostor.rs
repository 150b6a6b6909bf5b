//! A peer of our own making: its key, its handle and its proof are computed here from docs/PROTOCOL.md, §9 and §13. It
//! takes from the crate nothing but the form of HELLO and PROOF.

use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};
use swarmseal::content::{Hash, PublicKey, SwarmId};
use swarmseal::identity::{Fingerprint, Handle, Hello, Proof, Role};

pub struct Impostor {
    key: SigningKey,
    pub public: PublicKey,
    pub handle: Handle,
    /// What it says that it can do; it takes statements.
    pub capabilities: u32,
}

impl Impostor {
    pub fn new(seed: [u8; 32]) -> Self {
        let key = SigningKey::from_bytes(&seed);
        let public = PublicKey(key.verifying_key().to_bytes());
        let digest = Sha256::digest([b"swarmseal/handle/1".as_slice(), &public.0].concat());
        Self {
            key,
            public,
            handle: Handle(digest[..16].try_into().unwrap()),
            capabilities: 1,
        }
    }

    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// The PROOF that the holder of this key would give for what `view` says.
    pub fn proof(&self, view: &View) -> Vec<u8> {
        let signature = self.key.sign(&view.signed()).to_bytes();
        Proof { signature }.encode()
    }
}

/// What one side of a handshake takes to be true.
pub struct View {
    pub signer: Role,
    pub swarm: SwarmId,
    pub introduction: [u8; 16],
    pub offerer: Fingerprint,
    pub answerer: Fingerprint,
    pub offerer_hello: Vec<u8>,
    pub answerer_hello: Vec<u8>,
}

impl View {
    fn signed(&self) -> Vec<u8> {
        let context: &[u8] = match self.signer {
            Role::Offerer => b"swarmseal/proof/offerer/1",
            Role::Answerer => b"swarmseal/proof/answerer/1",
        };
        let mut out = [
            context,
            &[1],
            &self.swarm.0,
            &self.introduction,
            &self.offerer.0,
            &self.answerer.0,
        ]
        .concat();
        for hello in [&self.offerer_hello, &self.answerer_hello] {
            out.extend_from_slice(&u16::try_from(hello.len()).unwrap().to_be_bytes());
            out.extend_from_slice(hello);
        }
        out
    }
}

/// What an impostor says of itself.
pub struct Claim {
    pub capabilities: u32,
    pub role: Role,
    pub swarm: SwarmId,
    pub introduction: [u8; 16],
    pub own: Fingerprint,
    pub peer: Fingerprint,
    pub roots_digest: Hash,
    pub nonce: [u8; 32],
    pub ticket: Vec<u8>,
}

impl Claim {
    pub fn hello(self) -> Vec<u8> {
        Hello {
            versions: vec![1],
            capabilities: self.capabilities,
            role: self.role,
            swarm: self.swarm,
            introduction: self.introduction,
            own_fingerprint: self.own,
            peer_fingerprint: self.peer,
            roots_digest: self.roots_digest,
            nonce: self.nonce,
            ticket: self.ticket,
        }
        .encode()
    }
}

/// What a browser would say of itself with this certificate.
pub fn local_sdp(certificate: Fingerprint, offer: bool) -> String {
    let setup = if offer { "actpass" } else { "active" };
    format!(
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
         c=IN IP4 0.0.0.0\r\na=ice-ufrag:abcdefgh\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=ice-options:trickle\r\n\
         a=fingerprint:sha-256 {certificate}\r\na=setup:{setup}\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n",
    )
}

/// The certificates that a browser would take for the other end after this description. A browser takes any of several.
pub fn expected_certificates(sdp: &str) -> Vec<Fingerprint> {
    sdp.lines()
        .filter_map(|line| line.strip_prefix("a=fingerprint:sha-256 "))
        .map(|text| text.parse().unwrap())
        .collect()
}
