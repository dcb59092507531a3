//! `arauto export` and `arauto import`: a journal as lines of JSON.
//!
//! The first line is a header, the last line a footer with the counts: an export that was cut, or
//! joined with another, is noticed. Between them are the values that topics keep from before the
//! first broadcast, then the broadcasts.

mod export;
mod import;
mod line;

pub(super) use export::{ExportArgs, run_export};
pub(super) use import::{ImportArgs, run_import};
