//! TR 33.844 §4.3: the network verifies whether a user announces truthfully. Built so far: an announcement binds the one
//! who makes it, to this swarm, connection and time, so that nobody is listed by somebody else's words or by old ones.
//! Not built: that the announcer holds what it says (docs/THREATS.md, row 11).

use swarmseal::content::SwarmId;
use swarmseal::signal::{Announce, ClientMessage};

use super::report::{Outcome, conclude};
use super::rig::{Rig, SWARM, handle, keys};

/// Members of the swarm that look at lists.
const ROUNDS: u8 = 40;

#[test]
fn nobody_is_listed_by_words_that_are_not_its_own() {
    let (mut attempts, mut listed) = (0, 0);
    for round in 0..ROUNDS {
        let mut rig = Rig::new();
        let (victim, attacker, onlooker) = (1 + round, 101 + round, 201);
        let (conn, _) = rig.join(attacker);
        let (looker, _) = rig.join(onlooker);
        let nonce = rig.nonces[&conn];
        let ranges = rig.announcement(conn, attacker, 7, 10).ranges;
        // What the victim said on its own connection, for its own swarm, and what the attacker can make of it.
        let (theirs, _) = rig.join(victim);
        let overheard = rig.announcement(theirs, victim, 1, 10);
        let forgeries = [
            overheard.clone(),
            rig.announcement(conn, victim, 7, 10),
            Announce {
                seq: 8,
                ..overheard.clone()
            },
            Announce {
                expires_s: 600,
                ..overheard
            },
            Announce::sign(&keys(attacker), SwarmId([1; 32]), &nonce, ranges.clone(), 120, 9),
            Announce::sign(&keys(attacker), SWARM, &[0; 32], ranges.clone(), 120, 9),
            Announce {
                signature: [0; 64],
                ..Announce::sign(&keys(attacker), SWARM, &nonce, ranges, 120, 9)
            },
        ];
        for forged in forgeries {
            let (conn, _) = rig.join(attacker);
            rig.nonces.insert(conn, nonce);
            rig.say(conn, ClientMessage::Announce(forged));
            attempts += 1;
            let list = rig.list(looker, 30);
            listed += u64::from(list.contains(&handle(victim)) || list.contains(&handle(attacker)));
        }
    }
    conclude(&Outcome {
        threat: "11",
        attack: "announcements forged, overheard, replayed, of another swarm or another connection",
        attempts,
        successes: listed,
        figure: "nobody listed",
        target: "0 listed",
    });
}

#[test]
fn an_old_announcement_lists_nobody() {
    let (mut attempts, mut listed) = (0, 0);
    for round in 0..ROUNDS {
        let mut rig = Rig::new();
        let source = rig.source(1 + round);
        let (looker, _) = rig.join(201);
        assert_eq!(
            rig.list(looker, 30),
            [handle(1 + round)],
            "it is listed while it holds"
        );
        // The peer stays and says nothing more of what it holds.
        for _ in 0..13 {
            rig.sleep_ms(10_000);
            rig.input(crate::Input::Alive { conn: source });
            rig.input(crate::Input::Alive { conn: looker });
        }
        attempts += 1;
        listed += rig.list(looker, 30).len() as u64;
        let replayed = rig.announcement(source, 1 + round, 1, 10);
        rig.say(source, ClientMessage::Announce(replayed));
        attempts += 1;
        listed += rig.list(looker, 30).len() as u64;
    }
    conclude(&Outcome {
        threat: "11",
        attack: "announcements that ran out, and the same said again",
        attempts,
        successes: listed,
        figure: "off the lists after their time",
        target: "0 listed",
    });
}
