//! Challenges over real WebSockets, for a content that was published: the tracker reads its index, and no media.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

#[path = "peers/holder.rs"]
mod holder;
mod peers;
mod support;

use holder::{announce, answer, joined, listed, published};
use peers::http;
use swarmseal_server::daemon::Running;

#[tokio::test]
async fn who_shows_what_it_announced_is_listed() {
    let (folder, config, catalog) = published();
    let running = Running::start(&config, None).await.unwrap();
    let (mut holder, _) = joined(&running, &catalog, 1).await;
    let (mut looker, _) = joined(&running, &catalog, 2).await;
    announce(&mut holder, &catalog).await;
    assert_eq!(listed(&mut looker).await, []);
    answer(&mut holder, &catalog, folder.path(), |_| {}).await;
    // It hears of nobody: its own list comes after its answer was taken.
    assert_eq!(listed(&mut holder).await, []);
    let (_, peers) = joined(&running, &catalog, 3).await;
    assert_eq!(peers, [holder.handle()]);
    let metrics = http(running.address(), "GET /metrics HTTP/1.1").await;
    assert!(
        metrics.contains("swarmseal_challenges_passed_total 1\n"),
        "{metrics}"
    );
    running.stop().await;
}

#[tokio::test]
async fn who_shows_a_bit_flipped_is_not() {
    let (folder, config, catalog) = published();
    let running = Running::start(&config, None).await.unwrap();
    let (mut liar, _) = joined(&running, &catalog, 1).await;
    announce(&mut liar, &catalog).await;
    let flip = |message: &mut Vec<u8>| *message.last_mut().unwrap() ^= 1;
    answer(&mut liar, &catalog, folder.path(), flip).await;
    assert_eq!(listed(&mut liar).await, []);
    let (_, peers) = joined(&running, &catalog, 2).await;
    assert_eq!(peers, []);
    let metrics = http(running.address(), "GET /metrics HTTP/1.1").await;
    assert!(
        metrics.contains("swarmseal_challenges_failed_total 1\n"),
        "{metrics}"
    );
    running.stop().await;
}

#[tokio::test]
async fn where_no_proof_is_required_or_the_index_is_gone_the_word_counts() {
    for is_required in [false, true] {
        let (folder, mut config, catalog) = published();
        config.tracker.challenge.required = is_required;
        if is_required {
            for track in catalog.tracks() {
                std::fs::remove_file(folder.path().join(&track.index.path)).unwrap();
            }
        }
        let running = Running::start(&config, None).await.unwrap();
        let (mut announcer, _) = joined(&running, &catalog, 1).await;
        announce(&mut announcer, &catalog).await;
        assert_eq!(listed(&mut announcer).await, []);
        let (_, peers) = joined(&running, &catalog, 2).await;
        assert_eq!(peers, [announcer.handle()]);
        running.stop().await;
    }
}
