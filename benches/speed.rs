//! What a pass of each hot path takes: `cargo bench --package swarmseal-bench --bench speed`.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use std::cell::RefCell;
use swarmseal_bench::CASES;

criterion_group!(benches, all);
criterion_main!(benches);

fn all(criterion: &mut Criterion) {
    for (name, make) in CASES {
        criterion.bench_function(name, |bencher| {
            let case = RefCell::new(make());
            bencher.iter_batched(
                || case.borrow_mut().prepare(),
                |()| case.borrow_mut().pass(),
                BatchSize::PerIteration,
            );
        });
    }
}
