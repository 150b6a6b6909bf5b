//! `/metrics` in the OpenMetrics text format. Totals and gauges only: nothing is told apart by swarm, peer or place.

use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::actor::Figures;

/// What [`render`] writes.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The figures as a scrape.
///
/// # Errors
/// Never in practice: writing to a string does not fail.
pub fn render(figures: Figures) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("swarmseal");
    registry.register_collector(Box::new(Scrape(figures)));
    let mut out = String::new();
    text::encode(&mut out, &registry)?;
    Ok(out)
}

#[derive(Debug)]
struct Scrape(Figures);

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let Self(figures) = self;
        let counts = &figures.counts;
        for (name, help, value) in [
            ("connections", "WebSocket connections", figures.connections),
            ("members", "Peers admitted to a swarm", figures.members),
            ("sources", "Peers that are listed as sources", figures.sources),
            ("swarms", "Swarms with at least one peer", figures.swarms),
            (
                "introductions_open",
                "Introductions that are not over",
                figures.introductions,
            ),
            (
                "contents",
                "Contents whose manifest is accepted",
                figures.contents,
            ),
        ] {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        for (name, help, value) in [
            (
                "connections_opened",
                "Connections opened",
                counts.connections_opened,
            ),
            (
                "slow_consumers",
                "Connections dropped because they did not take messages",
                figures.slow_consumers,
            ),
            (
                "live_contradictions",
                "Pairs of signed statements about live contents of which only one can be true",
                figures.contradictions,
            ),
            ("messages", "Messages from peers", counts.messages),
            ("joined", "Peers admitted", counts.joined),
            (
                "rejoined",
                "Peers that took the place of their own older connection",
                counts.rejoined,
            ),
            ("revoked", "Peers whose admission was taken back", counts.revoked),
            ("tickets", "Tickets issued", counts.tickets),
            ("announced", "Announcements accepted", counts.announced),
            (
                "challenges",
                "Challenges to announcers that were not listed",
                counts.challenges,
            ),
            (
                "rechecks",
                "Challenges to announcers that were listed",
                counts.rechecks,
            ),
            (
                "challenges_passed",
                "Challenges answered in full",
                counts.challenges_passed,
            ),
            (
                "challenges_failed",
                "Challenges answered wrongly, late or not at all",
                counts.challenges_failed,
            ),
            (
                "challenges_late",
                "Rechecks that were not answered in time and are made again",
                counts.challenges_late,
            ),
            (
                "challenges_put_off",
                "Challenges that had to wait because there were too many",
                counts.challenges_put_off,
            ),
            (
                "challenge_chunks",
                "Chunks that came in answers to challenges",
                counts.chunks_shown,
            ),
            ("lists", "Lists given on request", counts.lists),
            ("pushes", "Messages about new sources sent unasked", counts.pushes),
            ("introductions", "Introductions begun", counts.introductions),
            (
                "introductions_merged",
                "Requests for an introduction under way",
                counts.introductions_merged,
            ),
            (
                "introductions_answered",
                "Introductions with both descriptions",
                counts.introductions_answered,
            ),
            (
                "introductions_timed_out",
                "Introductions that nobody answered",
                counts.introductions_timed_out,
            ),
            (
                "relayed_descriptions",
                "Descriptions passed on",
                counts.relayed_descriptions,
            ),
            (
                "relayed_candidates",
                "Candidates passed on",
                counts.relayed_candidates,
            ),
            (
                "reports_ignored",
                "Reports about peers that the reporter never met",
                counts.reports_ignored,
            ),
            ("proofs", "Proofs of tampering that put a peer out", counts.proofs),
            (
                "findings",
                "Findings of auditors that put a peer out",
                counts.findings,
            ),
        ] {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        family(
            &mut encoder,
            "refused",
            "Messages refused, by reason",
            "reason",
            &counts.refused,
        )?;
        family(
            &mut encoder,
            "closed",
            "Connections closed by the tracker, by reason",
            "reason",
            &counts.closed,
        )?;
        family(
            &mut encoder,
            "reports",
            "Reports about peers, by rule broken",
            "rule",
            &counts.reports,
        )?;
        family(
            &mut encoder,
            "proofs_refused",
            "Proofs of tampering that put nobody out, by reason",
            "reason",
            &counts.proofs_refused,
        )?;
        family(
            &mut encoder,
            "findings_refused",
            "Findings that were not acted upon, by reason",
            "reason",
            &counts.findings_refused,
        )
    }
}

fn family(
    encoder: &mut DescriptorEncoder,
    name: &str,
    help: &str,
    label: &str,
    values: &BTreeMap<&'static str, u64>,
) -> Result<(), fmt::Error> {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (value, count) in values {
        let labels = [(label, *value)];
        ConstCounter::new(*count).encode(metric.encode_family(&labels)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrape_is_openmetrics() {
        let mut figures = Figures {
            connections: 3,
            ..Figures::default()
        };
        figures.counts.joined = 7;
        figures.counts.refused.insert("malformed", 2);
        let text = render(figures).unwrap();
        assert!(
            text.contains("# TYPE swarmseal_connections gauge\nswarmseal_connections 3\n"),
            "{text}"
        );
        assert!(text.contains("swarmseal_joined_total 7\n"), "{text}");
        assert!(
            text.contains("swarmseal_refused_total{reason=\"malformed\"} 2\n"),
            "{text}"
        );
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn the_manual_lists_every_metric() {
        let manual = include_str!("../../../docs/OPERATE.md");
        let scrape = render(Figures::default()).unwrap();
        let names: Vec<&str> = scrape
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "))
            .filter_map(|line| line.split(' ').next())
            .collect();
        assert!(names.len() > 20);
        for name in names {
            assert!(
                manual.contains(&format!("`{name}`")) || manual.contains(&format!("`{name}_total`")),
                "docs/OPERATE.md does not list {name}"
            );
        }
    }
}
