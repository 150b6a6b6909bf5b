//! When segments begin and how long they last (§5.3.9.6, §5.3.9.5.3).

use std::time::Duration;

use dash_mpd_core::S;

/// Clock of one representation in one period.
pub(super) struct Timing {
    pub(super) timescale: u32,
    pub(super) period_start: Duration,
    pub(super) period_duration: Option<Duration>,
    /// Media time at the beginning of the period, in ticks.
    pub(super) offset: u64,
}

/// One segment in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) number: u64,
    /// Media time in ticks: what `$Time$` stands for.
    pub(super) time: u64,
    /// Presentation time in ticks.
    pub(super) start: u64,
    pub(super) duration: u64,
}

/// Whether every duration (`xs:duration`) of an MPD can be told in seconds. The parser adds up what it finds and minds no
/// overflow, so this has to be known before.
pub(super) fn durations_fit(mpd: &str) -> bool {
    mpd.split(['"', '\''])
        .filter(|value| value.trim_start_matches(['+', '-']).starts_with('P'))
        .flat_map(|value| value.split(|digit: char| !digit.is_ascii_digit()))
        .all(|number| number.trim_start_matches('0').len() <= MAX_DIGITS)
}

/// 10^10 years are some 3 · 10^17 seconds, and a second has at most nine digits after the point.
const MAX_DIGITS: usize = 10;

impl Timing {
    pub(super) fn by_timeline(&self, entries: &[S], first: u64) -> Result<Vec<Moment>, String> {
        let mut moments: Vec<Moment> = Vec::new();
        let mut time = 0;
        let mut number = first;
        for (index, entry) in entries.iter().enumerate() {
            time = entry.t.unwrap_or(time);
            number = entry.n.unwrap_or(number);
            if entry.d == 0 {
                return Err("a SegmentTimeline has a segment without duration".to_owned());
            }
            let repeats = match entry.r.unwrap_or(0) {
                repeats if repeats >= 0 => repeats.unsigned_abs(),
                _ => {
                    let next = entries.get(index + 1).and_then(|next| next.t);
                    let end =
                        next.or_else(|| self.period_duration.map(|whole| self.offset + self.ticks(whole)));
                    let end = end.ok_or("a SegmentTimeline repeats to an end that is not given")?;
                    end.saturating_sub(time).div_ceil(entry.d).saturating_sub(1)
                }
            };
            if moments.len() as u64 + repeats >= SEGMENTS {
                return Err(TOO_MANY.to_owned());
            }
            for _ in 0..=repeats {
                moments.push(Moment {
                    number,
                    time,
                    start: self.presentation(time),
                    duration: entry.d,
                });
                number += 1;
                time = time
                    .checked_add(entry.d)
                    .ok_or("a SegmentTimeline passes the end of time")?;
            }
        }
        Ok(moments)
    }

    /// `count` as given, or up to number `last`, or what fits the period.
    pub(super) fn by_duration(
        &self,
        duration: f64,
        first: u64,
        last: Option<u64>,
        count: Option<u64>,
    ) -> Result<Vec<Moment>, String> {
        if !duration.is_finite() || duration <= 0.0 {
            return Err("a segment duration is not above zero".to_owned());
        }
        let whole = self.period_duration.map(|whole| self.ticks(whole));
        let count = match (count, last, whole) {
            (Some(count), _, _) => count,
            (None, Some(last), _) => (last + 1).saturating_sub(first),
            // Durations of periods are written in milliseconds; less than that is rounding, not a segment.
            (None, None, Some(whole)) => ((whole as f64 - f64::from(self.timescale) / 1000.0) / duration)
                .ceil()
                .max(1.0) as u64,
            (None, None, None) => return Err("the MPD does not tell the duration of a period".to_owned()),
        };
        if count > SEGMENTS {
            return Err(TOO_MANY.to_owned());
        }
        let at = |index: u64| (index as f64 * duration).round() as u64;
        let moment = |index: u64| {
            let (begin, end) = (at(index), at(index + 1));
            let end = if index + 1 == count {
                whole.map_or(end, |whole| end.min(whole.max(begin)))
            } else {
                end
            };
            let time = self.offset + begin;
            Moment {
                number: first + index,
                time,
                start: self.presentation(time),
                duration: end - begin,
            }
        };
        Ok((0..count).map(moment).collect())
    }

    /// Media time to presentation time. What lies before the period is cut off by players; here it begins with it.
    pub(super) fn presentation(&self, time: u64) -> u64 {
        self.ticks(self.period_start) + time.saturating_sub(self.offset)
    }

    fn ticks(&self, duration: Duration) -> u64 {
        let ticks = duration.as_nanos() * u128::from(self.timescale) / 1_000_000_000;
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }
}

/// Twelve days of one-second segments. Above that an MPD is a mistake that should not cost memory.
const SEGMENTS: u64 = 1 << 20;
const TOO_MANY: &str = "a representation has more than 1048576 segments";

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(seconds: u64) -> Timing {
        Timing {
            timescale: 1000,
            period_start: Duration::from_secs(10),
            period_duration: Some(Duration::from_secs(seconds)),
            offset: 500,
        }
    }

    fn entry(t: Option<u64>, d: u64, r: Option<i64>) -> S {
        S {
            t,
            d,
            r,
            ..S::default()
        }
    }

    #[test]
    fn a_timeline_repeats_and_jumps() {
        let entries = [
            entry(Some(500), 2000, Some(2)),
            entry(None, 1000, None),
            entry(Some(9500), 500, Some(-1)),
        ];
        let moments = timing(10).by_timeline(&entries, 1).unwrap();
        let times: Vec<_> = moments
            .iter()
            .map(|moment| (moment.number, moment.time, moment.start))
            .collect();
        let expected = [
            (1, 500, 10_000),
            (2, 2500, 12_000),
            (3, 4500, 14_000),
            (4, 6500, 16_000),
            (5, 9500, 19_000),
            (6, 10_000, 19_500),
        ];
        assert_eq!(times, expected);
    }

    #[test]
    fn durations_fill_the_period() {
        let moments = timing(9).by_duration(2000.0, 0, None, None).unwrap();
        assert_eq!(moments.len(), 5);
        assert_eq!(
            moments[4],
            Moment {
                number: 4,
                time: 8500,
                start: 18_000,
                duration: 1000
            }
        );
        assert_eq!(timing(9).by_duration(2000.0, 0, Some(2), None).unwrap().len(), 3);
        assert!(timing(9).by_duration(0.0, 0, None, None).is_err());
        assert!(timing(9).by_duration(f64::MIN_POSITIVE, 0, None, None).is_err());
    }

    #[test]
    fn endless_repeats_are_refused() {
        assert!(
            timing(9)
                .by_timeline(&[entry(None, 1, Some(i64::MAX))], 1)
                .is_err()
        );
    }
}
