//! What is delivered: manifest, index, rows, hash tree, trust.
