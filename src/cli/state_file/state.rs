//! What the resume file holds: one JSON object on one line.

use std::io::{self, Write};

use arauto::{ResumePoint, Seq};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    stream: String,
    seq: Seq,
}

/// What the bytes of a file say.
pub(super) fn read(bytes: &[u8]) -> serde_json::Result<ResumePoint> {
    let State { stream, seq } = serde_json::from_slice(bytes)?;
    Ok(ResumePoint { stream, after: seq })
}

/// Writes what [`read`] reads.
pub(super) fn write(point: &ResumePoint, file: &mut dyn Write) -> io::Result<()> {
    let state = State {
        stream: point.stream.clone(),
        seq: point.after,
    };
    serde_json::to_writer(&mut *file, &state)?;
    file.write_all(b"\n")
}
