//! TR 33.844 §4.1: no permanent identity of a peer is revealed. Here, what a viewer itself gives away: identities are put
//! where a page really has them, into URLs, tokens, the browser's session description and the tracker's answers, and all
//! that leaves the core is searched. What the tracker gives away is searched in the server's test of the same name.

use std::sync::Arc;

use swarmseal::identity::Fingerprint;
use swarmseal::signal::{ErrorCode, ServerMessage};
use swarmseal::swarm::DemandId;

use crate::arena::{Arena, honest};
use crate::canary::{CANARIES, none_in};
use crate::impostor::local_sdp;
use crate::party::Desk;
use crate::published::Published;
use crate::report::{Outcome, conclude};

#[test]
fn nothing_that_a_viewer_says_names_it() {
    let published = Arc::new(Published::title(6, 60_000, Desk::new().key.public()));
    let mut arena = Arena::new(&published, 41);
    let neighbour = Arc::clone(&published);
    arena.invite(Box::new(move |message, _| honest(&neighbour, message)));
    arena.at_leisure();
    let mut planted = 0;
    for (n, canary) in CANARIES.iter().enumerate() {
        let id = u32::try_from(n).unwrap();
        let escaped: String = canary.text.bytes().map(|byte| format!("%{byte:02x}")).collect();
        // In a token, in the name of a parameter, in a fragment, and as a resource that is not listed.
        arena.demand(
            id,
            &format!(
                "v/{}.m4s?token={}&{escaped}=1#{}",
                n % 6,
                canary.text,
                canary.text
            ),
        );
        arena.demand(100 + id, &format!("{escaped}/v/1.m4s"));
        // The browser's own words about itself, as far as they are text.
        let sdp = local_sdp(Fingerprint([7; 32]), true)
            .replace("s=-", &format!("s={}", canary.text))
            .replace(
                "o=- 1 2 IN IP4 127.0.0.1",
                &format!("o={0} 1 2 IN IP4 203.0.113.177", canary.kind.len()),
            )
            .replace("c=IN IP4 0.0.0.0", "c=IN IP4 203.0.113.177\r\ni=203.0.113.177");
        let sdp = format!(
            "{sdp}a=msid:{0}\r\na=cname:{0}\r\na=rtcp:9 IN IP4 203.0.113.177\r\n",
            canary.text
        );
        arena.introduce_with(&sdp);
        // What a careless tracker would say.
        arena.hear(ServerMessage::Error {
            code: ErrorCode::Overloaded,
            message: canary.text.to_owned(),
            retry_after_s: None,
        });
        planted += 4;
    }
    arena.run(8_000_000);
    assert!(
        arena.party.delivered.contains_key(&DemandId(0)),
        "a token does not keep a viewer from playing"
    );

    let mut searched = 0;
    for (surface, bytes) in [
        ("messages to the tracker", &arena.said_to_tracker),
        ("messages to peers", &arena.said_to_peers),
        ("paths of HTTP requests", &arena.asked_of_origin),
        ("descriptions for the other browser", &arena.told_browsers),
    ] {
        searched += none_in(surface, bytes);
    }
    let events = serde_json::to_vec(&arena.party.events).unwrap();
    searched += none_in("events", &events);
    let stats = serde_json::to_vec(&arena.party.engine.stats()).unwrap();
    searched += none_in("statistics", &stats);
    searched += none_in("the ticket", &arena.party.ticket.clone());
    conclude(&Outcome {
        threat: "13",
        attack: "twelve kinds of identity in what a page and a browser hand to the core",
        attempts: planted,
        successes: 0,
        figure: &format!(
            "{searched} bytes of seven surfaces searched, 0 hits; each leak made on purpose is found"
        ),
        target: "0 hits",
    });
}
