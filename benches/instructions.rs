//! Work to be counted: `npm run bench:instructions` runs it under valgrind, which counts what happens inside of `counted`.
//!
//! `instructions CASE PASSES`; without arguments, the names of all cases.

use swarmseal_bench::{CASES, Case};

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|text| text != "--bench");
    let (Some(name), Some(passes)) = (arguments.next(), arguments.next()) else {
        CASES.iter().for_each(|(name, _)| println!("{name}"));
        return;
    };
    let Some((_, make)) = CASES.iter().find(|(known, _)| *known == name) else {
        eprintln!("there is no case {name}");
        std::process::exit(2);
    };
    let Ok(passes) = passes.parse::<u32>() else {
        eprintln!("{passes} is not a number of passes");
        std::process::exit(2);
    };
    let mut case = make();
    for _ in 0..passes {
        case.prepare();
        counted(case.as_mut());
    }
}

/// Kept as a function of its own, under the name that valgrind is told.
#[inline(never)]
fn counted(case: &mut dyn Case) {
    case.pass();
}
