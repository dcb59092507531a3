//! The operator's side of services.

use super::error::ClientError;
use super::handle::Client;
use super::shared::Reply;
use crate::wire::{ClientFrame, Feature, ServiceLine, ServiceQuery};

impl Client {
    /// Returns the services that clients offer, in the order of their names; for admins.
    ///
    /// # Errors
    /// The user may not, the server does not serve services ([`ClientError::NotServed`]), or the
    /// session ends first.
    pub async fn services(&self) -> Result<Vec<ServiceLine<'static>>, ClientError> {
        let mut all: Vec<ServiceLine<'static>> = Vec::new();
        loop {
            let session = self.session();
            session.who().require(Feature::Services)?;
            let after = all.last().map(|last| last.service.clone());
            let frame = |id| ClientFrame::Services(Box::new(ServiceQuery { id, after }));
            let waiter = session.begin(frame).await?;
            drop(session);
            match waiter.wait().await? {
                Reply::Services { services, more } => {
                    let is_last = !more || services.is_empty();
                    all.extend(services);
                    if is_last {
                        return Ok(all);
                    }
                }
                other => return Err(other.mismatch()),
            }
        }
    }
}
