//! A part of the server in an answer.

use arauto::{PartState, ProbeOutcome, ProbedPart};
use serde::Serialize;

/// A part of the server, and how fast it answered.
#[derive(Serialize)]
pub(super) struct Part {
    part: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    took_us: Option<u64>,
}

impl From<&ProbedPart> for Part {
    fn from(probed: &ProbedPart) -> Part {
        let (state, took_us) = match probed.state {
            PartState::Answered(took) => {
                let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
                ("answered", Some(took))
            }
            PartState::Ended => ("ended", None),
            _ => ("silent", None),
        };
        Part {
            part: probed.part.to_string(),
            state,
            took_us,
        }
    }
}

/// Returns the parts of a server; none while it starts.
pub(super) fn parts(outcome: Option<&ProbeOutcome>) -> Vec<Part> {
    let parts = outcome.into_iter().flat_map(|outcome| &outcome.parts);
    parts.map(Part::from).collect()
}
