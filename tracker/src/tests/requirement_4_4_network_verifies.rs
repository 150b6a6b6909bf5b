//! TR 33.844 §4.4, first bullet: the network verifies whether what a user shares was tampered with. Built so far is the
//! half that protects the honest: a complaint that proves nothing has no consequence, however often it comes.
//! Not built: a complaint that proves something (docs/THREATS.md, row 7).

use swarmseal::content::{ObjectId, TrackId};
use swarmseal::signal::{ClientMessage, ReportCode};

use super::report::{Outcome, conclude};
use super::rig::{Rig, handle};

/// Complaints of each of the framers.
const COMPLAINTS: u64 = 2_000;
const FRAMERS: u8 = 10;

#[test]
fn no_number_of_complaints_removes_an_honest_peer() {
    let mut rig = Rig::new();
    let honest = 1;
    let source = rig.source(honest);
    let (looker, _) = rig.join(200);
    let mut attempts = 0;
    let mut framers = Vec::new();
    for framer in 0..FRAMERS {
        let (conn, _) = rig.join(20 + framer);
        // Half of them have met it.
        if framer % 2 == 0 {
            rig.say(conn, ClientMessage::Introduce { peer: handle(honest) });
        }
        framers.push(conn);
    }
    for n in 0..COMPLAINTS {
        for conn in &framers {
            let code = [
                ReportCode::BadChunk,
                ReportCode::BadRows,
                ReportCode::Handshake,
                ReportCode::Misbehaviour,
            ];
            rig.say(
                *conn,
                ClientMessage::Report {
                    peer: handle(honest),
                    code: code[n as usize % 4],
                    object: Some(ObjectId {
                        track: TrackId(1),
                        index: n as u32 % 10,
                    }),
                },
            );
            attempts += 1;
        }
        if n % 100 == 0 {
            rig.sleep_ms(1_000);
            rig.input(crate::Input::Alive { conn: source });
            rig.input(crate::Input::Alive { conn: looker });
        }
    }
    let counted: u64 = rig.tracker.counts().reports.values().sum();
    assert!(counted > 0, "complaints arrived");
    let removed = rig.closed.contains_key(&source) || !rig.list(looker, 30).contains(&handle(honest));
    conclude(&Outcome {
        threat: "7",
        attack: "complaints about an honest peer, by strangers and by peers that met it",
        attempts,
        successes: u64::from(removed),
        figure: &format!("{counted} of them counted; the peer is connected and listed"),
        target: "0 honest peers removed",
    });
}
