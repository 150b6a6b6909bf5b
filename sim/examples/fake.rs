#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used
)]
use swarmseal_sim::record::*;
use swarmseal_sim::scenario::*;
use swarmseal_sim::*;
struct R(u64);
impl R {
    fn n(&mut self, m: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % m
    }
}
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let n: usize = args[1].parse().unwrap();
    let bad = args.len() > 3;
    let mut sc = built_in("vod").unwrap().read(&[]).unwrap();
    if bad {
        sc = built_in("tracker-outage").unwrap().read(&[]).unwrap();
    }
    sc.peers = n as u32;
    sc.seconds = 300;
    let mut r = R(88172645463325252);
    let secs = sc.seconds as usize;
    let seg = 375_000u64;
    let segs = 150usize;
    let mk = |r: &mut R, peers: bool| {
        let mut rec = Record {
            seconds: vec![Second::default(); secs],
            segments: vec![
                Segment {
                    unique: seg,
                    ..Default::default()
                };
                segs
            ],
            connected_components: 1,
            pairs_introduced: n as u64 * 9,
            pairs_proved: n as u64 * 7,
            invariant_checks: 1_234_567,
            engine_calls: 5_000_000,
            event_log_hash: "3f".repeat(32),
            ..Default::default()
        };
        for v in 0..n {
            let arr = (v as u64 * 60_000_000) / n as u64;
            let class = match v % 10 {
                0..=2 => Class::Fibre,
                3..=6 => Class::Dsl,
                7..=8 => Class::Mobile,
                _ => Class::Office,
            };
            let mut w = Viewer::new(class, sc.links.link(class, 1500).uplink_kbps, arr);
            let ff = arr + 180_000 + r.n(250_000) + if class == Class::Mobile { 200_000 } else { 0 };
            w.first_frame_us = Some(ff);
            if r.n(10) == 0 {
                w.left_us = Some(arr + 30_000_000 + r.n(100_000_000));
            }
            let until = w.left_us.unwrap_or(sc.seconds as u64 * 1_000_000);
            let mut left = 0;
            for s in 0..segs {
                let t = (arr + (s as u64 * 2_000_000).saturating_sub(10_000_000)) / 1_000_000;
                if t * 1_000_000 >= until || t as usize >= secs {
                    break;
                }
                let t = t as usize;
                let mut src = Sources::default();
                let o = if s < 2 {
                    left = 0;
                    1
                } else if peers && r.n(100) < (if bad && s > 60 && s < 80 { 20 } else { 2 }) {
                    3
                } else if v == 0 || r.n(n as u64) == 0 {
                    2
                } else {
                    left
                };
                match (o, peers) {
                    (0, true) => {
                        src.from_peers = seg as u32;
                        w.from_peers += seg;
                        rec.seconds[t].from_peers += seg;
                        rec.seconds[t].sent += seg;
                    }
                    (3, _) => {
                        src.from_peers = (seg / 3) as u32;
                        src.from_origin = (seg - seg / 3) as u32;
                        w.from_peers += seg / 3;
                        w.from_origin.rescue += seg - seg / 3;
                        rec.seconds[t].from_origin.rescue += seg - seg / 3;
                        rec.segments[s].from_origin.rescue += seg - seg / 3;
                    }
                    (1, _) => {
                        src.from_origin = seg as u32;
                        w.from_origin.startup += seg;
                        rec.seconds[t].from_origin.startup += seg;
                        rec.segments[s].from_origin.startup += seg;
                    }
                    _ => {
                        src.from_origin = seg as u32;
                        w.from_origin.elected += seg;
                        rec.seconds[t].from_origin.elected += seg;
                        rec.segments[s].from_origin.elected += seg;
                    }
                }
                w.segments.push(src);
            }
            w.played_us = until - ff;
            if bad && r.n(6) == 0 {
                w.stalled_us = r.n(3_000_000);
                w.stalls = 1;
                let at = 60 + r.n(50) as usize;
                rec.seconds[at].stalled += 1;
            }
            let sent = u64::from(w.uplink_kbps) * 10 * (50 + r.n(200));
            w.sent = sent;
            for s in (arr / 1_000_000)..(until / 1_000_000) {
                rec.seconds[s as usize].viewers += 1;
            }
            w.addresses_learnt = 20;
            rec.viewers.push(w);
        }
        rec
    };
    let rec = mk(&mut r, true);
    let wo = mk(&mut r, false);
    let o = Outcome::new(&sc, 7, &rec, Some(&wo));
    std::fs::write(&args[2], report::html(&o, "swarmseal simulate vod --seed 7")).unwrap();
}
