//! Publisher and operator tools of swarmseal: one folder per actor, one command line over all of them.

pub mod audit;
pub mod authorities;
pub mod cli;
pub mod config;
pub mod connection;
pub mod daemon;
mod fmp4;
pub mod load;
pub mod looping;
pub mod low_latency;
pub mod native;
pub mod origin;
pub mod publisher;
pub mod tracker;
mod watching;
