//! The contents of the resume file: one JSON object on one line.

use std::io::{self, Write};

use arauto::{ResumePoint, Seq, Term};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    stream: String,
    seq: Seq,
    /// Absent from files of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    term: Option<Term>,
}

/// Parses the contents of a resume file.
pub(super) fn read(bytes: &[u8]) -> serde_json::Result<ResumePoint> {
    let State { stream, seq, term } = serde_json::from_slice(bytes)?;
    Ok(ResumePoint {
        stream,
        after: seq,
        term,
    })
}

/// Writes the contents of a resume file, for [`read`].
pub(super) fn write(point: &ResumePoint, file: &mut dyn Write) -> io::Result<()> {
    let state = State {
        stream: point.stream.clone(),
        seq: point.after,
        term: point.term,
    };
    serde_json::to_writer(&mut *file, &state)?;
    file.write_all(b"\n")
}
