//! Messages between peer and tracker, and the typed introduction fields they carry.
