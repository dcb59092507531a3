//! Code that the fuzz targets share.
//!
//! Each target is a program of its own in `targets/`, which says in its header what must
//! hold; `fuzz/run` builds and runs them.

pub mod input;
pub mod memory;
