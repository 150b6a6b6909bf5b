//! Publisher and operator tools of swarmseal: one folder per actor, one command line over all of them.

pub mod cli;
pub mod config;
pub mod connection;
pub mod daemon;
pub mod looping;
pub mod origin;
pub mod publisher;
pub mod tracker;
