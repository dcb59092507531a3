//! The components that the supervisor stops, while there are any.

use std::collections::VecDeque;

use super::components::Components;
use crate::close::stop::Effect;

/// How far the server is.
pub(super) enum ServerState {
    /// Not complete yet: effects wait for the components.
    Starting(VecDeque<Effect>),
    Running(Box<dyn Components + Send>),
    Stopped,
}
