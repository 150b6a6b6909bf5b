//! Challenges over real WebSockets, for a live content: the tracker follows its heads, and reads no media.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

#[path = "peers/holder.rs"]
#[allow(dead_code, reason = "each test file uses its part")]
mod holder;
mod peers;
mod support;

use std::time::{Duration, Instant};

use holder::{announce, answer, joined, listed};
use peers::{Client, http};
use support::live::Broadcast;
use swarmseal::content::Catalog;
use swarmseal::identity::Handle;
use swarmseal_server::config::Config;
use swarmseal_server::daemon::Running;
use swarmseal_tracker::Rate;

/// Nothing here should ever take as long.
const PATIENCE: Duration = Duration::from_secs(20);
/// A tracker looks four times in this time, and gives up a stream after three times as long.
const TARGET_MS: u32 = 1_000;

fn bodies(count: u64) -> Vec<Vec<u8>> {
    (0..count)
        .map(|number| support::noise(number + 2, 100_000))
        .collect()
}

fn begin() -> (tempfile::TempDir, Config, Broadcast) {
    let (folder, mut config) = peers::folder();
    std::fs::remove_file(folder.path().join("1.seal")).unwrap();
    config.contents.publishers = vec![support::public_key()];
    // Tests look at lists more often than anybody should.
    let often = Rate {
        burst: 1_000,
        per_minute: 10_000,
    };
    (config.tracker.lists, config.tracker.messages) = (often, often);
    let broadcast = Broadcast::begin(folder.path(), TARGET_MS);
    (folder, config, broadcast)
}

/// Looks at lists until they are these.
async fn lists(looker: &mut Client, expected: &[Handle]) {
    let from = Instant::now();
    loop {
        let seen = listed(looker).await;
        if seen == expected {
            return;
        }
        assert!(from.elapsed() < PATIENCE, "{seen:?} and not {expected:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn metric(running: &Running, name: &str) -> u64 {
    let metrics = http(running.address(), "GET /metrics HTTP/1.1").await;
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().parse().unwrap()
}

/// A tracker that has read the first head.
async fn following(config: &Config, catalog: &Catalog) -> Running {
    let running = Running::start(config, None).await.unwrap();
    // Whoever announces is asked as soon as it has; this one never answers.
    let (mut scout, _) = joined(&running, catalog, 99).await;
    announce(&mut scout, catalog).await;
    let from = Instant::now();
    while metric(&running, "swarmseal_challenges_total").await == 0 {
        assert!(from.elapsed() < PATIENCE, "the tracker reads no head");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    running
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_live_segments_is_listed_and_who_does_not_is_not() {
    let (folder, config, broadcast) = begin();
    let first = broadcast.state(1, &bodies(6), 3);
    let running = following(&config, &first).await;

    let (mut holder, _) = joined(&running, &first, 1).await;
    announce(&mut holder, &first).await;
    answer(&mut holder, &first, folder.path(), |_| {}).await;
    assert_eq!(listed(&mut holder).await, []);

    let (mut liar, peers) = joined(&running, &first, 2).await;
    assert_eq!(peers, [holder.handle()]);
    announce(&mut liar, &first).await;
    let flip = |message: &mut Vec<u8>| *message.last_mut().unwrap() ^= 1;
    answer(&mut liar, &first, folder.path(), flip).await;
    assert_eq!(listed(&mut liar).await, [holder.handle()]);

    let (_, peers) = joined(&running, &first, 3).await;
    assert_eq!(peers, [holder.handle()]);
    assert_eq!(metric(&running, "swarmseal_challenges_passed_total").await, 1);
    assert!(metric(&running, "swarmseal_challenges_failed_total").await >= 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_head_has_stated_lists_nobody_until_one_does() {
    let (folder, config, broadcast) = begin();
    let all = bodies(9);
    let first = broadcast.state(1, &all[..2], 1);
    let running = following(&config, &first).await;
    let next = {
        // What the next head will state, as somebody knows who has it from elsewhere.
        let (ahead, _, other) = begin();
        drop(ahead);
        other.state(2, &all, 9)
    };
    let (mut looker, _) = joined(&running, &first, 1).await;
    let (mut early, _) = joined(&running, &first, 2).await;
    holder::announce_from(&mut early, &next, 2).await;
    assert_eq!(listed(&mut looker).await, []);

    // It need not say it again. Records that were never carried are read from the log.
    broadcast.state(2, &all, 3);
    answer(&mut early, &next, folder.path(), |_| {}).await;
    lists(&mut looker, &[early.handle()]).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_head_can_be_read_the_word_counts_until_one_can() {
    let (folder, config, broadcast) = begin();
    let catalog = broadcast.state(1, &bodies(6), 6);
    broadcast.hide();
    let running = Running::start(&config, None).await.unwrap();
    let (mut looker, _) = joined(&running, &catalog, 1).await;
    let (mut holder, _) = joined(&running, &catalog, 2).await;
    announce(&mut holder, &catalog).await;
    lists(&mut looker, &[holder.handle()]).await;

    // There is one: who was believed has to prove it.
    broadcast.state(1, &bodies(6), 6);
    lists(&mut looker, &[]).await;
    answer(&mut holder, &catalog, folder.path(), |_| {}).await;
    lists(&mut looker, &[holder.handle()]).await;

    // And away again: what is proven stays so, and others are believed after a while.
    broadcast.hide();
    let (mut other, _) = joined(&running, &catalog, 3).await;
    announce(&mut other, &catalog).await;
    let mut both = [holder.handle(), other.handle()];
    both.sort();
    let from = Instant::now();
    loop {
        let mut seen = listed(&mut looker).await;
        seen.sort();
        if seen == both {
            break;
        }
        assert!(from.elapsed() < PATIENCE, "{seen:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_heads_with_one_number_are_counted_and_change_nothing() {
    let (folder, config, broadcast) = begin();
    let first = broadcast.state(1, &bodies(6), 6);
    let running = following(&config, &first).await;
    assert_eq!(metric(&running, "swarmseal_live_contradictions_total").await, 0);
    // Whoever has the session's key states other segments under the same number.
    let mut others = bodies(6);
    others[5][0] ^= 1;
    broadcast.state(1, &others, 6);
    let from = Instant::now();
    while metric(&running, "swarmseal_live_contradictions_total").await == 0 {
        assert!(from.elapsed() < PATIENCE, "nobody has noticed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Looked at again and again it stays one, and what was stated first goes on.
    broadcast.state(2, &bodies(7), 3);
    let whole = broadcast.state(3, &bodies(8), 3);
    let (mut holder, _) = joined(&running, &whole, 1).await;
    holder::announce_from(&mut holder, &whole, 6).await;
    let (mut looker, _) = joined(&running, &whole, 2).await;
    answer(&mut holder, &whole, folder.path(), |_| {}).await;
    lists(&mut looker, &[holder.handle()]).await;
    assert_eq!(metric(&running, "swarmseal_live_contradictions_total").await, 1);
    running.stop().await;
}
