//! Makes a published folder out of packaged media: reads what lies there, hashes it, signs it, checks it.
//! Media files are read and never written.
