//! The name of the service.

/// The name of the service.
pub(super) const SERVICE_NAME: &str = "arauto";
