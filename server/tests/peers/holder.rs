//! A peer that holds a published content, as the tracker meets it: it announces, shows what it is asked for, and is listed.

use std::path::Path;

use futures_util::SinkExt as _;
use swarmseal::content::{CHUNK, Catalog, Hash, ObjectId, RollbackMemory, TrackId, Trust, WallTime, tree};
use swarmseal::identity::Handle;
use swarmseal::signal::{
    Announce, ClientMessage, PICK, Pick, ServerMessage, TrackRanges, shown_head, sign_answer,
};
use swarmseal::wire::Range;
use swarmseal_server::config::Config;
use swarmseal_server::daemon::Running;
use tokio_tungstenite::tungstenite::Message;

use crate::peers::{Client, folder};
use crate::support;

/// A published content, and a configuration for it.
pub(crate) fn published() -> (tempfile::TempDir, Config, Catalog) {
    let (folder, mut config) = folder();
    std::fs::remove_file(folder.path().join("1.seal")).unwrap();
    config.contents.publishers = vec![support::public_key()];
    support::stream(folder.path());
    support::publish_folder(folder.path()).unwrap();
    // The tracker has no use for the media, and cannot have read it.
    let media = folder.path().join("media");
    std::fs::create_dir(&media).unwrap();
    for name in ["high", "low", "extras"] {
        std::fs::rename(folder.path().join(name), media.join(name)).unwrap();
    }
    let catalog = catalog(folder.path());
    (folder, config, catalog)
}

pub(crate) fn catalog(folder: &Path) -> Catalog {
    let sealed = std::fs::read(folder.join("content.seal")).unwrap();
    let mut trust = Trust::new(vec![support::public_key()], None, "m", RollbackMemory::default());
    let wall = WallTime {
        unix_s: support::NOW,
        uncertainty_s: 0,
    };
    let mut catalog = Catalog::new(trust.verify(&sealed, wall).unwrap());
    let tracks: Vec<(TrackId, u32)> = catalog.tracks().map(|track| (track.id, track.segments)).collect();
    for (track, segments) in tracks {
        for index in 0..segments {
            while let Some(sheet) = catalog.sheet_for(ObjectId::new(track, index)) {
                let place = catalog.sheet_location(&sheet).unwrap();
                let file = std::fs::read(folder.join(&place.path)).unwrap();
                let (first, length) = place.range.unwrap();
                let bytes = &file[first as usize..(first + length) as usize];
                catalog.accept_sheet(&sheet, bytes).unwrap();
            }
        }
    }
    catalog
}

pub(crate) async fn joined(running: &Running, catalog: &Catalog, seed: u8) -> (Client, Vec<Handle>) {
    let mut client = Client::connect(&running.tracker_url(), seed).await;
    let manifest = catalog.manifest();
    let join = client.join_message(&manifest.swarm_secret, manifest.swarm_id());
    client.say(&join).await;
    match client.hear().await {
        ServerMessage::Joined(joined) => (client, joined.peers),
        other => panic!("{other:?}"),
    }
}

/// Announces all segments of all tracks, for the first time.
pub(crate) async fn announce(client: &mut Client, catalog: &Catalog) {
    announce_from(client, catalog, 0).await;
}

/// The same from segment `first` on.
pub(crate) async fn announce_from(client: &mut Client, catalog: &Catalog, first: u32) {
    let mut ranges: Vec<TrackRanges> = catalog
        .tracks()
        .map(|track| TrackRanges {
            track: track.id,
            ranges: vec![Range {
                first,
                count: track.segments - first,
            }],
        })
        .collect();
    ranges.sort_by_key(|track| track.track);
    let swarm = catalog.manifest().swarm_id();
    let announce = Announce::sign(&client.keys, swarm, &client.nonce, ranges, 120, 1);
    client.say(&ClientMessage::Announce(announce)).await;
}

/// Answers the challenge that comes next out of the published media; `alter` changes each message that shows a chunk.
pub(crate) async fn answer(
    client: &mut Client,
    catalog: &Catalog,
    folder: &Path,
    alter: impl Fn(&mut Vec<u8>),
) {
    let ServerMessage::Challenge { challenge, question } = client.hear().await else {
        panic!("no challenge")
    };
    let picks: Vec<Pick> = question.as_chunks::<PICK>().0.iter().map(Pick::decode).collect();
    assert_eq!(picks.len(), 10);
    let mut leaves: Vec<u8> = Vec::new();
    for (number, pick) in picks.iter().enumerate() {
        let place = catalog.location(pick.object).unwrap();
        let media = [folder.join("media").join(&place.path), folder.join(&place.path)];
        let file = media.iter().find_map(|path| std::fs::read(path).ok()).unwrap();
        let bytes = match place.range {
            Some((first, length)) => &file[first as usize..(first + length) as usize],
            None => &file,
        };
        let row: Vec<Hash> = bytes.chunks(CHUNK as usize).map(tree::leaf).collect();
        let chunk = bytes.chunks(CHUNK as usize).nth(pick.chunk as usize).unwrap();
        let path = tree::path(&row, pick.chunk as usize).unwrap();
        let mut message = [shown_head(challenge, number as u8, &path), chunk.to_vec()].concat();
        alter(&mut message);
        client.socket.send(Message::binary(message)).await.unwrap();
        leaves.extend(row[pick.chunk as usize].0);
    }
    let answer = sign_answer(&client.keys, challenge, &question, leaves);
    client
        .say(&ClientMessage::ChallengeAnswer { challenge, answer })
        .await;
}

pub(crate) async fn listed(client: &mut Client) -> Vec<Handle> {
    client.say(&ClientMessage::List { want: 30 }).await;
    loop {
        match client.hear().await {
            ServerMessage::Peers { peers } => return peers,
            ServerMessage::Challenge { .. } | ServerMessage::Revocation { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}
