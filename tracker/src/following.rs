//! Live contents: what announcers are checked against grows with every head.
//!
//! Somebody else reads the heads and verifies them. Until the first one nobody is listed; who announces what no head has
//! stated yet is put to the proof once one has.

use std::sync::Arc;

use swarmseal::content::SwarmId;
use swarmseal::identity::Handle;

use super::api::{ConnId, Now};
use super::challenging::Standing;
use super::roots::Roots;
use super::tracker::{Stay, Tracker};

impl Tracker {
    /// What the heads of a followed content have stated so far. `None` if that cannot be told any more: then its announcers
    /// are listed on their word.
    pub fn set_live_roots(&mut self, now: Now, swarm: SwarmId, roots: Option<Arc<Roots>>) {
        // It may have been withdrawn, or have become a recording.
        let Some(known) = self.live.get_mut(&swarm) else {
            return;
        };
        let (had_roots, has_roots) = (known.is_some(), roots.is_some());
        *known = roots;
        if !(self.config.challenge.required && (had_roots || has_roots)) {
            return;
        }
        let members = self.swarms.get(&swarm).map(|swarm| &swarm.members);
        let unproven: Vec<(ConnId, Handle)> = members
            .into_iter()
            .flatten()
            .filter(|(_, member)| member.announced.is_some())
            .filter(|(_, member)| match member.proof.standing {
                Standing::Announced | Standing::Expired => true,
                Standing::Verified => false,
                Standing::Challenged | Standing::Failed => had_roots != has_roots,
            })
            .map(|(handle, member)| (member.conn, *handle))
            .collect();
        for (conn, handle) in unproven {
            let stay = Stay { swarm, handle };
            let announced = self
                .member(stay)
                .ok()
                .and_then(|member| member.announced.as_ref());
            let ranges = announced.map(|announced| announced.ranges.clone());
            self.weigh(now.monotonic, conn, stay, &ranges.unwrap_or_default());
        }
    }

    /// What announcers are checked against, the newest version first.
    pub(super) fn editions(&self, swarm: SwarmId) -> Vec<Arc<Roots>> {
        let versions = self.contents.get(&swarm).map(|content| content.roots.as_slice());
        let live = self.live.get(&swarm).and_then(Option::as_ref);
        versions.unwrap_or_default().iter().chain(live).cloned().collect()
    }

    /// The contents are others now. Of one that is followed from now on no head is known yet; one that is not needs none.
    pub(super) fn match_live_to_contents(&mut self) {
        let followed = |content: &super::api::Content| content.is_followed;
        self.live
            .retain(|swarm, _| self.contents.get(swarm).is_some_and(followed));
        for content in self.contents.values().filter(|content| followed(content)) {
            let unknown = Some(Arc::default());
            self.live.entry(content.swarm).or_insert(unknown);
        }
    }
}
