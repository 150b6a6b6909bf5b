//! The engine: peers, chunk states, scheduler, credit, blame.
