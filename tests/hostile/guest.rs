//! An attacker that is a member of the swarm: admitted, introduced, proved, and then as it pleases.

use sha2::{Digest as _, Sha256};
use swarmseal::content::{Hash, SwarmId, TrackId};
use swarmseal::identity::{Fingerprint, Role};
use swarmseal::signal::{Description, IntroductionId, SdpType, ServerMessage};
use swarmseal::swarm::{Input, PeerId};
use swarmseal::wire::{self, Have, Message, Range};

use crate::dice::Dice;
use crate::impostor::{Claim, Impostor, View, local_sdp};
use crate::party::{Desk, Party, Wish};
use crate::published::Published;

/// One end of a proved connection; the engine at the other end knows it as `peer`.
pub struct Guest {
    pub peer: PeerId,
    /// The engine's HELLO and PROOF.
    pub heard: Vec<Vec<u8>>,
}

/// What it takes to become a guest.
pub struct Invitation<'a> {
    pub desk: &'a Desk,
    pub swarm: SwarmId,
    pub certificate: Fingerprint,
    pub roots: &'a [(TrackId, Hash)],
}

impl Guest {
    /// Has `member` introduced to `party` and goes through the handshake. What `party` wants meanwhile is left in `wishes`.
    pub fn connect(
        member: &Impostor,
        party: &mut Party,
        invitation: &Invitation<'_>,
        dice: &mut Dice,
        wishes: &mut Vec<Wish>,
    ) -> Self {
        let id = dice.array();
        let introduction = IntroductionId(id);
        let dialled = party.tracker(ServerMessage::Introduction {
            introduction,
            peer: member.handle,
            role: SdpType::Offer,
        });
        let peer = dialled
            .iter()
            .find_map(|wish| match wish {
                Wish::Dial { peer, .. } => Some(*peer),
                _ => None,
            })
            .unwrap();
        let theirs = Fingerprint(dice.array());
        party.input(Input::LocalDescription {
            peer,
            sdp: &local_sdp(theirs, true),
        });
        party.tracker(ServerMessage::Description {
            introduction,
            description: Description::from_sdp(&local_sdp(invitation.certificate, false)).unwrap(),
        });
        let mut heard = said(party.input(Input::PeerOpened { peer }));
        let hello = Claim {
            capabilities: member.capabilities,
            role: Role::Answerer,
            swarm: invitation.swarm,
            introduction: id,
            own: invitation.certificate,
            peer: theirs,
            roots_digest: digest(invitation.roots),
            nonce: dice.array(),
            ticket: invitation.desk.admit(member.public, invitation.swarm),
        }
        .hello();
        heard.extend(said(party.input(Input::Message { peer, bytes: &hello })));
        let proof = member.proof(&View {
            signer: Role::Answerer,
            swarm: invitation.swarm,
            introduction: id,
            offerer: theirs,
            answerer: invitation.certificate,
            offerer_hello: heard[0].clone(),
            answerer_hello: hello,
        });
        let before = party.proved();
        wishes.extend(party.input(Input::Message { peer, bytes: &proof }));
        assert_eq!(
            party.proved(),
            before + 1,
            "a member that behaves is accepted: {:?}",
            party.blamed()
        );
        heard.truncate(2);
        Self { peer, heard }
    }

    /// What the guest says of its tracks and of what it holds: everything.
    pub fn boast(&self, party: &mut Party, published: &Published, roots: &[(TrackId, Hash)]) -> Vec<Wish> {
        let tracks = wire::encode(&Message::Tracks(roots.to_vec()));
        let have = wire::encode(&Message::Have(Have {
            track: TrackId(1),
            complete: vec![Range {
                first: 0,
                count: published.manifest.tracks[0].segments,
            }],
            partial: Vec::new(),
        }));
        let mut wishes = Vec::new();
        for bytes in [tracks, have] {
            wishes.extend(party.input(Input::Message {
                peer: self.peer,
                bytes: &bytes,
            }));
        }
        wishes
    }
}

/// Roots digest, PROTOCOL.md §9.
fn digest(roots: &[(TrackId, Hash)]) -> Hash {
    let mut hash = Sha256::new();
    hash.update(b"swarmseal/roots/1");
    for (track, root) in roots {
        hash.update(track.0.to_be_bytes());
        hash.update(root.0);
    }
    Hash(hash.finalize().into())
}

fn said(wishes: Vec<Wish>) -> Vec<Vec<u8>> {
    let control = wishes.into_iter().filter_map(|wish| match wish {
        Wish::Control { bytes, .. } => Some(bytes),
        _ => None,
    });
    control.collect()
}
