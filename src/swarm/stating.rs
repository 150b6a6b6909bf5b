//! Statements: a sender of chunks signs once for each request what it is about to send; a receiver whose neighbour signs something
//! else than the publisher has a proof, and hands it to the tracker.

use super::engine::Engine;
use super::{Output, PeerId};
use crate::content::tree;
use crate::identity::{CAPABILITY_STATEMENTS, Statement, Tampering};
use crate::signal::ClientMessage;
use crate::wire::Message;

impl Engine {
    /// Signs for the request that is served next, before anything of it goes. What is signed is the publisher's row, not what
    /// the store gives: a disk that rots is no lie, and no row is sent on that did not fit. Whoever has forgotten the row
    /// signs nothing. Root, number of chunks and row are what the catalog says together: a statement that does not agree with
    /// itself is what puts its sender out.
    #[inline(never)]
    pub(super) fn state_upload(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let takes = peer
            .identity()
            .is_some_and(|identity| identity.capabilities & CAPABILITY_STATEMENTS != 0);
        let Some(upload) = peer.uploads.front_mut() else {
            return;
        };
        let (object, first, end) = (upload.object, upload.next as usize, upload.end as usize);
        if let Some(nonce) = upload.nonce.take()
            && takes
            && let Some(info) = self.catalog.object(object)
            && let Some(leaves) = self.catalog.row(object).and_then(|row| row.get(first..end))
        {
            let statement = Statement {
                swarm: self.catalog.manifest().swarm_id(),
                object,
                root: info.root,
                chunks: info.chunks,
                first: upload.next,
                nonce,
                unix_s: self.wall_now().unix_s,
                leaves: leaves.to_vec(),
            };
            let signed = statement.sign(&self.keys);
            self.budget.spend(signed.len() as u64);
            self.send(id, &Message::Statement(signed));
        }
    }

    /// A neighbour says what it is about to send. If that is what the publisher signed, it is of no use any more; if not, it is
    /// a proof. The signature matters in the second case only.
    #[inline(never)]
    pub(super) fn peer_statement(&mut self, id: PeerId, statement: &[u8]) {
        let Some(peer) = self.peers.get(&id) else { return };
        let Some(identity) = peer.identity() else { return };
        if identity.capabilities & CAPABILITY_STATEMENTS == 0 {
            self.blame(id, "statement_not_wanted", None);
            return;
        }
        let Some(stated) = Statement::read(statement) else {
            self.blame(id, "statement_malformed", None);
            return;
        };
        let (object, first) = (stated.object, stated.first as usize);
        let asked = peer
            .requests
            .values()
            .find(|request| request.nonce == Some(stated.nonce));
        let (Some(asked), Some(row)) = (asked, self.catalog.row(object)) else {
            // It was answered or given up meanwhile, or cannot be judged any more.
            return;
        };
        let fits = stated.swarm == self.catalog.manifest().swarm_id()
            && (asked.object, asked.first) == (object, stated.first)
            && usize::from(asked.count) == stated.leaves.len()
            && self
                .catalog
                .object(object)
                .is_some_and(|info| info.root == stated.root && info.chunks == stated.chunks);
        if !fits {
            self.blame(id, "statement_of_another", None);
            return;
        }
        let right = row.get(first..).unwrap_or_default();
        let wrong = stated
            .leaves
            .iter()
            .zip(right)
            .position(|(leaf, right)| leaf != right);
        let Some(place) = wrong else { return };
        let key = identity.key;
        let mut code = "statement_unsigned";
        if Statement::is_of(statement, &key)
            && let (Some(path), Some(leaf)) = (tree::path(row, first + place), right.get(place))
        {
            code = "statement_contradicts";
            let proof = Tampering {
                key,
                place: place as u8,
                leaf: *leaf,
                path,
                statement: statement.to_vec(),
            };
            if self.session.is_joined() {
                self.outputs
                    .push_back(Output::TrackerSend(ClientMessage::Tampering {
                        proof: proof.encode(),
                    }));
            }
        }
        self.blame(id, code, Some((object, stated.first + place as u32)));
    }
}
