//! The `swarmseal` command: publisher and operator tools.

fn main() {}
