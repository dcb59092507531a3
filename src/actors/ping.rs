//! A message that an actor answers at once.

use actix::Message;

/// Is answered as soon as the actor handles it, and has no effect: the answer shows that the actor's
/// thread runs and that its mailbox is served.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Ping;
