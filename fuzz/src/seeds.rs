//! Where a search starts: the protocol's own vectors.

use serde_json::Value;
use swarmseal::content::cose;
use swarmseal::signal::ClientMessage;

const CONTENT: &[&str] = &[
    include_str!("../../tests/vectors/manifest.json"),
    include_str!("../../tests/vectors/signed.json"),
];
const TICKET: &str = include_str!("../../tests/vectors/ticket.json");
const WIRE: &str = include_str!("../../tests/vectors/wire.json");
const HANDSHAKE: &str = include_str!("../../tests/vectors/handshake.json");
const SIGNAL: &str = include_str!("../../tests/vectors/signal.json");
const TAMPERING: &str = include_str!("../../tests/vectors/tampering.json");
const PATHS: &str = include_str!("../../tests/vectors/paths.json");

/// What the vectors hold for a target.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "manifest" => CONTENT.iter().flat_map(|json| sealed(json)).collect(),
        "ticket" => sealed(TICKET),
        "peer_message" => hex_fields(WIRE, &["bytes"]),
        "proof_of_identity" => hex_fields(HANDSHAKE, &["hello", "proof"])
            .into_iter()
            .map(|message| {
                [
                    &u16::try_from(message.len()).unwrap().to_be_bytes(),
                    message.as_slice(),
                ]
                .concat()
            })
            .collect(),
        "engine" => hex_fields(WIRE, &["bytes"])
            .into_iter()
            .filter(|message| message.len() < 250)
            .map(|message| {
                let kind = if message.first() == Some(&0x0b) {
                    0x1b
                } else {
                    0x17
                };
                [
                    &[0x01, 1, 0x1f, 0x40, 0, kind, message.len() as u8],
                    message.as_slice(),
                    &[0x1f, 0xff, 0xff],
                ]
                .concat()
            })
            .collect(),
        "client_message" | "server_message" => {
            let from_peer = target == "client_message";
            objects(SIGNAL)
                .filter(|value| value["type"].is_string())
                .map(|value| value.to_string())
                .filter(|text| !from_peer || serde_json::from_str::<ClientMessage>(text).is_ok())
                .map(String::into_bytes)
                .collect()
        }
        "tampering" => hex_fields(TAMPERING, &["statement", "proof"]),
        "shown" => hex_fields(SIGNAL, &["message"]),
        "description" => texts(SIGNAL)
            .filter(|text| text.starts_with("v=0"))
            .map(String::into_bytes)
            .collect(),
        "candidate" => texts(SIGNAL)
            .filter(|text| text.contains("candidate:"))
            .map(String::into_bytes)
            .collect(),
        "paths" => texts(PATHS)
            .map(|text| [&[7], text.as_bytes()].concat())
            .collect(),
        "names" => vec![
            b"\0\x02a1\0\x02b2".to_vec(),
            b"\0\x07v/1.m4s\0\x07v/2.m4s".to_vec(),
        ],
        "rows_and_index" => vec![record(100, 0), [record(20_000, 0), record(20_000, 64)].concat()],
        "hls" => HLS.iter().map(|text| text.as_bytes().to_vec()).collect(),
        "mpd" => MPD.iter().map(|text| text.as_bytes().to_vec()).collect(),
        _ => Vec::new(),
    }
}

/// An index record: PROTOCOL.md §5.1.
fn record(length: u32, row_offset: u64) -> Vec<u8> {
    let mut out = vec![9; 32];
    out.extend(length.to_be_bytes());
    out.extend(2_000_u32.to_be_bytes());
    out.extend(0_u64.to_be_bytes());
    out.extend(row_offset.to_be_bytes());
    out.extend((row_offset / 64 * 2_000).to_be_bytes());
    out
}

/// Sealed objects, and their payloads.
fn sealed(json: &str) -> Vec<Vec<u8>> {
    let sealed = hex_fields(json, &["sealed"]);
    let payloads: Vec<Vec<u8>> = sealed
        .iter()
        .filter_map(|bytes| cose::peek(bytes).ok().map(|object| object.payload.to_vec()))
        .collect();
    sealed.into_iter().chain(payloads).collect()
}

fn hex_fields(json: &str, names: &[&str]) -> Vec<Vec<u8>> {
    objects(json)
        .flat_map(|object| {
            names
                .iter()
                .map(|name| joined(&object[*name]))
                .collect::<Vec<_>>()
        })
        .filter_map(|text| hex(&text))
        .filter(|bytes| !bytes.is_empty() && bytes.len() < 4_096)
        .collect()
}

/// Bytes are a text, or a list of texts and repetitions, of which only the texts are taken here.
fn joined(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(Value::as_str).collect(),
        _ => String::new(),
    }
}

fn objects(json: &str) -> impl Iterator<Item = Value> {
    let mut found = Vec::new();
    walk(&serde_json::from_str(json).unwrap(), &mut |value| {
        if value.is_object() {
            found.push(value.clone());
        }
    });
    found.into_iter()
}

fn texts(json: &str) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    walk(&serde_json::from_str(json).unwrap(), &mut |value| {
        if let Value::String(text) = value {
            found.push(text.clone());
        }
    });
    found.into_iter()
}

fn walk(value: &Value, visit: &mut impl FnMut(&Value)) {
    visit(value);
    match value {
        Value::Array(values) => values.iter().for_each(|value| walk(value, visit)),
        Value::Object(fields) => fields.values().for_each(|value| walk(value, visit)),
        _ => {}
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

const HLS: [&str; 3] = [
    "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:2.0,\n1.m4s\n#EXTINF:1.5,\n2.m4s?v=1\n#EXT-X-ENDLIST\n",
    "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-KEY:METHOD=AES-128,URI=\"k.bin\"\n#EXTINF:2,\n#EXT-X-BYTERANGE:100@0\nx.ts\n#EXTINF:2,\n#EXT-X-BYTERANGE:100\nx.ts\n#EXT-X-ENDLIST\n",
    "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a\",URI=\"b.m3u8\"\n#EXT-X-STREAM-INF:BANDWIDTH=1000,AUDIO=\"a\"\nb.m3u8\n\0#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n../content/1.m4s\n#EXT-X-ENDLIST\n",
];

const MPD: [&str; 3] = [
    "<MPD mediaPresentationDuration=\"PT4S\"><Period><AdaptationSet mimeType=\"video/mp4\"><SegmentTemplate timescale=\"1000\" duration=\"2000\" initialization=\"i-$RepresentationID$.mp4\" media=\"$RepresentationID$-$Number%03d$.m4s\" startNumber=\"1\"/><Representation id=\"v\" bandwidth=\"1000\"/></AdaptationSet></Period></MPD>",
    "<MPD><Period duration=\"PT6S\"><AdaptationSet mimeType=\"audio/mp4\"><SegmentTemplate timescale=\"1000\" initialization=\"i.mp4\" media=\"$Time$.m4s\"><SegmentTimeline><S t=\"0\" d=\"2000\" r=\"2\"/></SegmentTimeline></SegmentTemplate><Representation id=\"a\" bandwidth=\"1\"/></AdaptationSet></Period></MPD>",
    "<MPD><Period duration=\"PT6S\"><AdaptationSet mimeType=\"video/mp4\"><Representation id=\"a\" bandwidth=\"1\"><BaseURL>b.mp4</BaseURL><SegmentBase indexRange=\"0-43\"><Initialization range=\"0-9\"/></SegmentBase></Representation></AdaptationSet></Period></MPD>",
];
