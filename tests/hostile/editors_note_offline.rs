//! TR 33.844 §3.4, editor's note: the offline scenario. A folder and a pinned key verify without asking anybody, and are
//! graded: fresh, signed with its freshness unknown, or expired. A wrong clock never widens the grade.

use swarmseal::content::{
    ContentId, Freshness, Grade, Hash, MAX_FRESH_S, Manifest, OfflineTime, RollbackMemory, SecretKey,
    SwarmSecret, Trust, TrustError,
};

use crate::dice::Dice;
use crate::report::{Outcome, conclude, runs};

const NOW: u64 = 1_790_000_000;
const DAY: u64 = 86_400;
const TEN_YEARS: u64 = 3_650 * DAY;
/// Drawn cases, each with a truth, a clock and a statement of its own.
const CASES: u64 = 10_000;

fn publisher() -> SecretKey {
    SecretKey::from_seed(&[1; 32])
}

fn manifest(version: u64, issued: u64, expires: u64) -> Manifest {
    Manifest {
        version,
        ..Manifest::new(ContentId([7; 16]), SwarmSecret([8; 32]), issued..expires)
    }
}

/// A manifest as it lies in a folder, with what its publisher says about it.
struct Bundle {
    sealed: Vec<u8>,
    expires: u64,
    statement: Freshness,
}

impl Bundle {
    fn new(version: u64, issued: u64, expires: u64, stated: u64, good_for: u64) -> Self {
        let sealed = manifest(version, issued, expires).sign(&publisher()).unwrap();
        let statement = Freshness {
            content_id: ContentId([7; 16]),
            version,
            manifest: Hash::of(&[&sealed]),
            issued: stated,
            until: stated + good_for,
        };
        Self {
            sealed,
            expires,
            statement,
        }
    }

    /// What a verifier with this memory makes of it; the statement goes through its sealed form.
    fn graded(
        &self,
        memory: &mut RollbackMemory,
        clock: u64,
        within_s: Option<u32>,
    ) -> Result<Grade, TrustError> {
        let statement = self.statement.sign(&publisher()).unwrap();
        self.graded_with(memory, &statement, clock, within_s)
    }

    fn graded_with(
        &self,
        memory: &mut RollbackMemory,
        statement: &[u8],
        clock: u64,
        within_s: Option<u32>,
    ) -> Result<Grade, TrustError> {
        let keys = vec![publisher().public()];
        let statement = Freshness::verify(statement, &keys).ok();
        let mut trust = Trust::new(keys, None, "folder", memory.clone());
        let time = OfflineTime {
            clock_unix_s: clock,
            within_s,
        };
        let verdict = trust.verify_offline(&self.sealed, statement.as_ref(), time);
        *memory = trust.memory().clone();
        verdict.map(|(_, grade)| grade)
    }
}

#[test]
fn each_grade_is_given_where_it_is_due() {
    let bundle = Bundle::new(1, NOW, NOW + 365 * DAY, NOW + DAY, 7 * DAY);
    let grade = |clock, within| bundle.graded(&mut RollbackMemory::default(), clock, within);
    let until = NOW + 8 * DAY;
    assert_eq!(grade(NOW + 2 * DAY, Some(60)), Ok(Grade::Fresh { until }));
    assert_eq!(grade(until - 60, Some(60)), Ok(Grade::Fresh { until }));
    assert_eq!(grade(until - 59, Some(60)), Ok(Grade::FreshnessUnknown));
    assert_eq!(grade(NOW + 2 * DAY, None), Ok(Grade::FreshnessUnknown));
    assert_eq!(grade(NOW + 100 * DAY, Some(60)), Ok(Grade::FreshnessUnknown));
    assert_eq!(grade(NOW + 366 * DAY, Some(60)), Err(TrustError::Expired));
    assert_eq!(grade(NOW + 368 * DAY, None), Err(TrustError::Expired));
    let nothing = bundle.graded_with(&mut RollbackMemory::default(), b"", NOW + 2 * DAY, Some(60));
    assert_eq!(nothing, Ok(Grade::FreshnessUnknown), "without a statement");
}

/// For drawn truths and clocks that are wrong by up to ten years: nobody gets a better grade than the truth gives.
#[test]
fn a_wrong_clock_never_widens_the_grade() {
    let mut dice = Dice::new(23);
    let mut draw = |below: u64| dice.roll() % below;
    let (mut wrong, mut widened, mut fresh) = (0, 0, 0);
    for _ in 0..runs(CASES) {
        let issued = NOW + draw(TEN_YEARS);
        let stated = issued + draw(400 * DAY);
        let bundle = Bundle::new(
            1,
            issued,
            issued + DAY + draw(800 * DAY),
            stated,
            1 + draw(MAX_FRESH_S),
        );
        // Nothing is verified before it is there.
        let truth = stated + draw(60 * DAY);
        let far = draw(4) == 0;
        let error = draw(if far { TEN_YEARS } else { 90 * DAY });
        let clock = if draw(2) == 0 {
            truth + error
        } else {
            truth.saturating_sub(error)
        };
        let off = u32::try_from(truth.abs_diff(clock)).unwrap();
        wrong += 1;

        // Nobody answers for it: whatever it says, nothing is fresh.
        let alone = bundle.graded(&mut RollbackMemory::default(), clock, None);
        widened += u64::from(matches!(alone, Ok(Grade::Fresh { .. })));

        // Somebody answers for how wrong it is: fresh is only what is so at the true time.
        let answered = bundle.graded(&mut RollbackMemory::default(), clock, Some(off));
        let is_fresh = truth <= bundle.statement.until && truth <= bundle.expires;
        if let Ok(Grade::Fresh { until }) = answered {
            fresh += 1;
            widened += u64::from(!is_fresh || truth > until);
        }
        if answered == Err(TrustError::Expired) {
            assert!(truth > bundle.expires, "nothing is refused that is good");
        }

        // Whoever has seen a time that its publisher signed after the end has seen it end, whatever the clock says since.
        let mut memory = RollbackMemory::default();
        let later = Bundle::new(
            2,
            bundle.expires + 61 + draw(DAY),
            bundle.expires + 900 * DAY,
            bundle.expires + 2 * DAY,
            DAY,
        );
        assert!(later.graded(&mut memory, bundle.expires + 2 * DAY, None).is_ok());
        let back = bundle.graded(&mut memory, clock, Some(off));
        widened += u64::from(back.is_ok());
    }
    assert!(fresh > 0, "what is fresh is found to be");
    conclude(&Outcome {
        threat: "30",
        attack: "clocks that are wrong by up to ten years, with and without somebody who answers for them",
        attempts: wrong * 3,
        successes: widened,
        figure: &format!(
            "{fresh} of {wrong} were fresh at the true time by a clock whose error is known, and graded so"
        ),
        target: "0 graded better than the true time gives",
    });
}

#[test]
fn a_forged_statement_makes_nothing_fresh() {
    let bundle = Bundle::new(3, NOW, NOW + 365 * DAY, NOW + DAY, 7 * DAY);
    let clock = NOW + 2 * DAY;
    let plain = bundle.statement;
    let sign = |statement: Freshness, seed: u8| statement.sign(&SecretKey::from_seed(&[seed; 32])).unwrap();
    let good = sign(plain, 1);
    let grade = |sealed: &[u8]| bundle.graded_with(&mut RollbackMemory::default(), sealed, clock, Some(60));
    assert!(
        matches!(grade(&good), Ok(Grade::Fresh { .. })),
        "the plain one is taken"
    );

    let mut forged = vec![
        sign(plain, 2),
        sign(Freshness { version: 2, ..plain }, 1),
        sign(Freshness { version: 4, ..plain }, 1),
        sign(
            Freshness {
                manifest: Hash([9; 32]),
                ..plain
            },
            1,
        ),
        sign(
            Freshness {
                content_id: ContentId([9; 16]),
                ..plain
            },
            1,
        ),
        sign(
            Freshness {
                issued: NOW - 9 * DAY,
                until: NOW - DAY,
                ..plain
            },
            1,
        ),
        bundle.sealed.clone(),
        Vec::new(),
    ];
    let mut dice = Dice::new(24);
    for _ in 0..runs(2_000) {
        let mut altered = good.clone();
        dice.flip(&mut altered);
        forged.push(altered);
    }
    for cut in 0..good.len() {
        forged.push(good[..cut].to_vec());
    }
    let fresh = forged
        .iter()
        .filter(|sealed| matches!(grade(sealed), Ok(Grade::Fresh { .. })))
        .count();
    let too_long = Freshness {
        until: plain.issued + MAX_FRESH_S + 1,
        ..plain
    };
    assert!(
        too_long.sign(&publisher()).is_err(),
        "nobody signs for longer than it is taken"
    );
    conclude(&Outcome {
        threat: "30",
        attack: "statements by another key, of another version or content, ended, altered or cut",
        attempts: forged.len() as u64,
        successes: fresh as u64,
        figure: "what they are beside stays signed, freshness unknown",
        target: "0 graded fresh",
    });
}

#[test]
fn an_older_bundle_stays_refused_whatever_the_clock_says() {
    let (mut attempts, mut taken) = (0, 0);
    for version in 2..12 {
        let mut memory = RollbackMemory::default();
        let newest = Bundle::new(version, NOW, NOW + 365 * DAY, NOW, DAY);
        assert!(newest.graded(&mut memory, NOW, Some(60)).is_ok());
        for clock in [0, NOW - TEN_YEARS, NOW - 60, NOW, NOW + DAY] {
            let old = Bundle::new(
                version - 1,
                NOW - 9 * DAY,
                NOW + 300 * DAY,
                NOW - 8 * DAY,
                30 * DAY,
            );
            attempts += 1;
            taken += u64::from(old.graded(&mut memory, clock, Some(60)).is_ok());
        }
    }
    conclude(&Outcome {
        threat: "30",
        attack: "an older version brought back offline, with the clock of then",
        attempts,
        successes: taken,
        figure: "refused by the memory of the newer one",
        target: "0 taken",
    });
}
