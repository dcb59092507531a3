//! The answer to an operator whose act has changed nothing.

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::json::answer;

/// Why an act has changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    /// Why.
    pub(crate) error: String,
    /// The exit code of the command.
    pub(crate) exit: u8,
}

/// The exit code of what may succeed later, see sysexits(3).
const TRY_LATER: u8 = 75;

/// The exit code of input that is wrong.
const WRONG_INPUT: u8 = 65;

impl Refusal {
    /// Returns a refusal of what may succeed later, because of the server's state.
    pub(super) fn for_now(error: &str) -> Refusal {
        Refusal {
            error: error.to_owned(),
            exit: TRY_LATER,
        }
    }

    /// Returns a refusal of a request whose body is wrong.
    pub(super) fn of_input(error: String) -> Refusal {
        Refusal {
            error,
            exit: WRONG_INPUT,
        }
    }

    /// Makes the answer: 409 where the act may succeed later, else 422.
    pub(super) fn answer(&self) -> Response {
        let status = match self.exit {
            TRY_LATER => StatusCode::CONFLICT,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        answer(status, self)
    }
}
