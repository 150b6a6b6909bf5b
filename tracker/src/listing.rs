//! Sources: who announces itself as one, who is told of whom.

use swarmseal::identity::Handle;
use swarmseal::signal::{Announce, ErrorCode, Exposure, MAX_LIST, ServerMessage};
use swarmseal::swarm::Timestamp;

use super::api::ConnId;
use super::exposure::Account;
use super::swarm::Announced;
use super::tracker::{Refusal, Stay, Timer, Tracker};

impl Tracker {
    pub(super) fn announce(
        &mut self,
        now: Timestamp,
        conn: ConnId,
        stay: Stay,
        announce: Announce,
    ) -> Result<(), Refusal> {
        let nonce = self
            .connections
            .get(&conn)
            .map(|connection| connection.nonce)
            .unwrap_or_default();
        let member = self.member(stay)?;
        member.announces.take(now).map_err(Refusal::rate_limited)?;
        if member.announce_seq.is_some_and(|last| announce.seq <= last) {
            return Err(Refusal::new(ErrorCode::NotSolicited, "an older announcement"));
        }
        if !announce.is_signed(&member.key, stay.swarm, &nonce) {
            return Err(Refusal::new(ErrorCode::BadSignature, "a signature does not fit"));
        }
        self.accept_announcement(now, conn, stay, announce)
    }

    /// Takes an announcement whose signature fits.
    pub(super) fn accept_announcement(
        &mut self,
        now: Timestamp,
        conn: ConnId,
        stay: Stay,
        announce: Announce,
    ) -> Result<(), Refusal> {
        let until = now.plus_ms(u64::from(announce.expires_s) * 1_000);
        let member = self.member(stay)?;
        member.announce_seq = Some(announce.seq);
        let is_source = !announce.ranges.is_empty();
        let before = member.announced.take().map(|announced| announced.ranges);
        member.announced = is_source.then_some(Announced {
            ranges: announce.ranges,
            until,
        });
        self.counts.announced += 1;
        if is_source {
            self.set_timer(until, Timer::Announcement(conn));
            self.weigh(now, conn, stay, &before.unwrap_or_default());
        } else {
            self.remove_source(stay);
        }
        Ok(())
    }

    /// Lists a member from now on; the others hear of it if that is new.
    pub(super) fn add_source(&mut self, now: Timestamp, stay: Stay) {
        let Ok(account) = self
            .member(stay)
            .map(|member| member.account(stay.swarm, stay.handle))
        else {
            return;
        };
        let swarm = self.swarms.get_mut(&stay.swarm);
        if swarm.is_some_and(|swarm| swarm.sources.insert(stay.handle, account.clone()))
            && self.news.draw(&(stay.swarm, account), now).is_ok()
        {
            self.spread_news(now, stay);
        }
    }

    pub(super) fn remove_source(&mut self, stay: Stay) {
        if let Some(swarm) = self.swarms.get_mut(&stay.swarm) {
            swarm.sources.remove(&stay.handle);
        }
    }

    pub(super) fn check_announcement(&mut self, conn: ConnId, now: Timestamp) {
        let Some(stay) = self.connections.get(&conn).and_then(|connection| connection.stay) else {
            return;
        };
        let Ok(member) = self.member(stay) else {
            return;
        };
        let lapsed = member
            .announced
            .as_ref()
            .is_some_and(|announced| announced.until <= now);
        if lapsed {
            member.announced = None;
            self.remove_source(stay);
        }
    }

    pub(super) fn list(&mut self, now: Timestamp, conn: ConnId, stay: Stay, want: u8) -> Result<(), Refusal> {
        self.member(stay)?
            .lists
            .take(now)
            .map_err(Refusal::rate_limited)?;
        let peers = self.choose_sources(now, stay, usize::from(want.min(self.config.list_size)));
        self.counts.lists += 1;
        self.send(conn, ServerMessage::Peers { peers });
        Ok(())
    }

    /// At most `want` sources for a member: a share at random, the rest by rank, such as it does not know first.
    pub(super) fn choose_sources(&mut self, now: Timestamp, stay: Stay, want: usize) -> Vec<Handle> {
        let Some(swarm) = self.swarms.get(&stay.swarm) else {
            return Vec::new();
        };
        let Some(asker) = swarm.members.get(&stay.handle) else {
            return Vec::new();
        };
        // Who may meet nobody for now is not named: asking for it would only be refused.
        let may_be_named = |account: &Account| {
            self.config.exposure != Exposure::Guarded || self.ledgers.may_meet(account, now)
        };
        let drawn = swarm
            .sources
            .sample(want, stay.handle, may_be_named, &mut self.random);
        let (mut unknown, known): (Vec<Handle>, Vec<Handle>) = drawn
            .into_iter()
            .partition(|handle| !asker.introductions.contains_key(handle));

        let share = (want * usize::from(self.config.random_share_percent)).div_ceil(100);
        let mut ranked = unknown.split_off(share.min(unknown.len()));
        let profile = asker.profile(stay.handle);
        ranked.sort_by_cached_key(|handle| {
            let source = swarm.members.get(handle).map(|source| source.profile(*handle));
            core::cmp::Reverse(source.map(|source| self.ranking.score(&profile, &source)))
        });
        let mut chosen = unknown;
        chosen.extend(ranked.into_iter().chain(known));
        chosen.truncate(want);
        // The place in a list says nothing about how its members were chosen.
        self.random.shuffle(&mut chosen);
        let mut first = self
            .suspicions
            .for_auditor(stay.swarm, stay.handle, now, &mut self.random);
        if !first.is_empty() {
            first.retain(|handle| {
                swarm.sources.contains(handle)
                    && *handle != stay.handle
                    && !asker.introductions.contains_key(handle)
            });
            chosen.retain(|handle| !first.contains(handle));
            first.append(&mut chosen);
            first.truncate(want);
            return first;
        }
        chosen
    }

    /// A source has appeared: members with few introductions hear of it.
    fn spread_news(&mut self, now: Timestamp, source: Stay) {
        let Some(swarm) = self.swarms.get_mut(&source.swarm) else {
            return;
        };
        let interval = u64::from(self.config.push_interval_ms);
        let mut due = Vec::new();
        for handle in swarm.everybody.sample(NEWS_SAMPLE, &mut self.random) {
            if due.len() >= MAX_LIST || handle == source.handle {
                continue;
            }
            if let Some(member) = swarm.members.get_mut(&handle)
                && member.wants_news_of(&source.handle, self.config.push_below)
            {
                member.fresh.insert(source.handle);
                let at = member
                    .pushed_at
                    .map_or(now, |last| last.plus_ms(interval).max(now));
                due.push((at, Timer::Push(member.conn)));
            }
        }
        for (at, timer) in due {
            self.set_timer(at, timer);
        }
    }

    /// Tells a member of the sources that have appeared since the last time.
    pub(super) fn push(&mut self, conn: ConnId, now: Timestamp) {
        let Some(stay) = self.connections.get(&conn).and_then(|connection| connection.stay) else {
            return;
        };
        let Some(swarm) = self.swarms.get_mut(&stay.swarm) else {
            return;
        };
        let Some(member) = swarm.members.get_mut(&stay.handle) else {
            return;
        };
        let fresh = core::mem::take(&mut member.fresh);
        let peers: Vec<Handle> = fresh
            .into_iter()
            .filter(|handle| swarm.sources.contains(handle) && !member.introductions.contains_key(handle))
            .collect();
        if !peers.is_empty() {
            member.pushed_at = Some(now);
            self.counts.pushes += 1;
            self.send(conn, ServerMessage::Peers { peers });
        }
    }
}

/// Members looked at when a source appears.
const NEWS_SAMPLE: usize = 4 * MAX_LIST;
