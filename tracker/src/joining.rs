//! Admission to a swarm: proof, key, ticket.

use swarmseal::content::{PublicKey, SwarmId};
use swarmseal::identity::{Election, Handle, Ticket};
use swarmseal::signal::{ErrorCode, IceServer, Join, Joined, ServerMessage};

use super::admission::{AdmissionRequest, Grant};
use super::api::{CloseReason, ConnId, Now};
use super::swarm::Member;
use super::tracker::{Refusal, Stay, Timer, Tracker};

impl Tracker {
    pub(super) fn join(&mut self, now: Now, conn: ConnId, join: Join) -> Result<(), Refusal> {
        let at = now.monotonic;
        let Some(connection) = self.connections.get(&conn) else {
            return Ok(());
        };
        let (nonce, prefix) = (connection.nonce, connection.prefix);
        let took_us = at.since(connection.opened_at);
        self.prefixes
            .take_join(prefix, at)
            .map_err(Refusal::rate_limited)?;

        // Everything is computed before anything is decided: time shall not tell which check failed.
        let secret = self.contents.get(&join.swarm).map(|content| &content.secret);
        let is_known = secret.is_some();
        let proves = join.proves(secret.unwrap_or(&self.nobodys_secret), &nonce);
        let is_signed = join.is_signed(&nonce);
        if !(is_known & proves) {
            return Err(Refusal::not_admitted());
        }
        let announce_fits = join
            .announce
            .as_ref()
            .is_none_or(|announce| announce.is_signed(&join.key, join.swarm, &nonce));
        if !is_signed || !announce_fits {
            return Err(Refusal::new(ErrorCode::BadSignature, "a signature does not fit"));
        }

        let request = AdmissionRequest {
            swarm: join.swarm,
            key: join.key,
            prefix,
        };
        let grant = self
            .admission
            .admit(now, &request)
            .map_err(|_| Refusal::not_admitted())?;
        let stay = Stay {
            swarm: join.swarm,
            handle: Handle::of(&join.key),
        };
        if self
            .revocations
            .is_out(&stay.handle, &grant.tag, now.unix_ms / 1_000)
        {
            return Err(Refusal::not_admitted());
        }
        self.make_room(now, stay, &join)?;

        let election = self.keys.election(stay.swarm, stay.handle);
        let mut member = Member::new((conn, prefix), join.key, election, &self.config, at);
        if let Some(departed) = self.departed.remove(&(stay.swarm, stay.handle))
            && departed.until > at
        {
            member.budget = departed.budget;
            member.proof = departed.proof;
        }
        member.admission_tag.clone_from(&grant.tag);
        let ticket = self.ticket(now, stay.swarm, (member.key, election), &grant)?;
        let swarm = self.swarms.entry(stay.swarm).or_default();
        swarm.members.insert(stay.handle, member);
        swarm.everybody.insert(stay.handle);
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.stay = Some(stay);
        }
        self.counts.joined += 1;
        self.measure_round_trip(took_us);
        self.set_timer(
            at.plus_ms(u64::from(self.config.keepalive_s) * 1_000),
            Timer::Connection(conn),
        );

        let joined = Joined {
            handle: stay.handle,
            ticket,
            ticket_expires_in_s: self.config.ticket_s,
            peers: self.choose_sources(at, stay, usize::from(self.config.list_size)),
            ice_servers: self.ice_servers(now),
            exposure: self.config.exposure,
            list_interval_s: self.config.list_interval_s,
            time_unix_ms: now.unix_ms,
            epoch: epoch(now),
        };
        self.send(conn, ServerMessage::Joined(joined));
        if let Some(revocation) = self.recent_revocations(stay.swarm, now) {
            self.send(conn, revocation);
        }
        match join.announce {
            Some(announce) => self.accept_announcement(at, conn, stay, announce),
            None => Ok(()),
        }
    }

    pub(super) fn renew(&mut self, now: Now, conn: ConnId, stay: Stay) -> Result<(), Refusal> {
        let member = self.member(stay)?;
        member
            .renewals
            .take(now.monotonic)
            .map_err(Refusal::rate_limited)?;
        let request = AdmissionRequest {
            swarm: stay.swarm,
            key: member.key,
            prefix: member.prefix,
        };
        let tag = member.admission_tag.clone();
        let grant = self
            .admission
            .renew(now, &request, &tag)
            .map_err(|_| Refusal::not_admitted())?;
        let member = self.member(stay)?;
        member.admission_tag.clone_from(&grant.tag);
        let (key, election) = (member.key, member.election);
        if tag != grant.tag {
            let account = member.account(stay.swarm, stay.handle);
            if let Some(swarm) = self.swarms.get_mut(&stay.swarm)
                && swarm.sources.remove(&stay.handle)
            {
                swarm.sources.insert(stay.handle, account);
            }
        }
        let ticket = self.ticket(now, stay.swarm, (key, election), &grant)?;
        let answer = ServerMessage::Ticket {
            ticket,
            ticket_expires_in_s: self.config.ticket_s,
            time_unix_ms: now.unix_ms,
            epoch: epoch(now),
            // Only credentials that end have to be replaced.
            ice_servers: match self.turn {
                Some(_) => self.ice_servers(now),
                None => Vec::new(),
            },
        };
        self.send(conn, answer);
        Ok(())
    }

    fn ice_servers(&mut self, now: Now) -> Vec<IceServer> {
        let turn = self.turn.as_ref();
        let turn = turn.map(|turn| turn.credential(now.unix_ms / 1_000, &mut self.random));
        self.config.ice_servers.iter().cloned().chain(turn).collect()
    }

    /// The same key may take its own place; nobody else's.
    fn make_room(&mut self, now: Now, stay: Stay, join: &Join) -> Result<(), Refusal> {
        let Some(swarm) = self.swarms.get(&stay.swarm) else {
            return Ok(());
        };
        match swarm
            .members
            .get(&stay.handle)
            .map(|older| (older.conn, older.key))
        {
            Some((_, key)) if key != join.key => Err(Refusal::new(
                ErrorCode::HandleInUse,
                "another peer has this handle",
            )),
            Some((older, _)) => {
                self.counts.rejoined += 1;
                self.close(older, CloseReason::Replaced, now.monotonic);
                Ok(())
            }
            None => {
                let members = u32::try_from(swarm.members.len()).unwrap_or(u32::MAX);
                if members < self.config.max_swarm_members {
                    Ok(())
                } else {
                    Err(Refusal::new(ErrorCode::Overloaded, "the swarm is full").after(FULL_RETRY_S))
                }
            }
        }
    }

    fn ticket(
        &mut self,
        now: Now,
        swarm: SwarmId,
        (key, election): (PublicKey, Election),
        grant: &Grant,
    ) -> Result<Vec<u8>, Refusal> {
        let issued = now.unix_ms / 1_000;
        let ticket = Ticket {
            key,
            swarm,
            class: grant.class,
            issued,
            expires: issued.saturating_add(u64::from(self.config.ticket_s)),
            election,
            limits: grant.limits,
            admission_tag: grant.tag.clone(),
        };
        self.counts.tickets += 1;
        // Only a grant out of bounds can fail here, and such a grant admits nobody.
        ticket
            .issue(&self.keys.signing)
            .map_err(|_| Refusal::not_admitted())
    }
}

/// The number of the current epoch of elections.
pub(super) fn epoch(now: Now) -> u64 {
    now.unix_ms / 1_000 / EPOCH_S
}

/// How long an election lasts: as long as a ticket.
const EPOCH_S: u64 = 600;
/// When to try again where a swarm is full.
const FULL_RETRY_S: u32 = 60;
