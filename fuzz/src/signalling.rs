//! What passes between peer and tracker, and what becomes of a browser's own words.

use swarmseal::content::tree;
use swarmseal::signal::{
    Candidate, ClientMessage, Description, Loopback, SdpType, ServerMessage, Shown, shown_head,
};

/// A message to the tracker.
pub fn client_message(data: &[u8]) {
    if let Ok(message) = serde_json::from_slice::<ClientMessage>(data)
        && message.validate(Loopback::Allow).is_ok()
    {
        let text = serde_json::to_string(&message).unwrap();
        assert_eq!(serde_json::from_str::<ClientMessage>(&text).unwrap(), message);
    }
}

/// A message of the tracker.
pub fn server_message(data: &[u8]) {
    if let Ok(message) = serde_json::from_slice::<ServerMessage>(data)
        && message.validate(Loopback::Allow).is_ok()
    {
        let text = serde_json::to_string(&message).unwrap();
        assert_eq!(serde_json::from_str::<ServerMessage>(&text).unwrap(), message);
    }
}

/// A session description, and what the other side's browser would be given.
pub fn description(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    let read = Description::from_sdp(text).ok();
    let received = serde_json::from_str::<Description>(text).ok();
    for description in [read, received].into_iter().flatten() {
        for kind in [SdpType::Offer, SdpType::Answer] {
            let sdp = description.to_sdp(kind);
            assert_eq!(sdp.lines().count(), LINES, "no field ends a line");
            assert_eq!(sdp.matches("a=fingerprint:").count(), 1);
            assert!(sdp.is_ascii() && sdp.ends_with("\r\n"));
            if description.validate().is_ok() {
                let again = Description::from_sdp(&sdp).unwrap();
                assert_eq!(again.fingerprint, description.fingerprint);
            }
        }
    }
}

/// A binary message that shows a chunk to the tracker: what is read of it says the same again.
pub fn shown(data: &[u8]) {
    let Some(shown) = Shown::read(data) else {
        return;
    };
    let head = shown_head(shown.challenge, shown.number, &shown.path);
    let (before, chunk) = data.split_at(head.len());
    assert_eq!(before, head);
    assert!((1..=16_384).contains(&chunk.len()) && shown.path.len() <= 11);
    assert_eq!(shown.leaf, tree::leaf(chunk));
}

/// A candidate, and the line for the other side's browser.
pub fn candidate(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    let read = Candidate::from_line(text, Loopback::Allow).ok().flatten();
    let received = serde_json::from_str::<Candidate>(text)
        .ok()
        .filter(|candidate| candidate.validate(Loopback::Allow).is_ok());
    for candidate in [read, received].into_iter().flatten() {
        let line = candidate.to_line();
        assert!(line.lines().count() == 1 && line.is_ascii(), "{line:?}");
        assert_eq!(Candidate::from_line(&line, Loopback::Allow), Ok(Some(candidate)));
    }
}

/// Lines of the template.
const LINES: usize = 15;
