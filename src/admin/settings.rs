//! The settings of the process, as the admin endpoint sees them.

use std::future::Future;
use std::pin::Pin;

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;

/// A setting that has another value than it had. The values are as in a config file; `None` is not
/// set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SettingChange {
    /// The key.
    pub(crate) key: String,
    /// The value that it had, or still has.
    pub(crate) from: Option<String>,
    /// The other value.
    pub(crate) to: Option<String>,
}

/// The outcome of a reload that has succeeded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reloaded {
    /// The settings that have changed.
    pub(crate) changed: Vec<SettingChange>,
    /// The settings that keep their values until a restart.
    pub(crate) restart: Vec<SettingChange>,
}

/// The future of a reload.
pub(crate) type Reloading = Pin<Box<dyn Future<Output = Result<Reloaded, Refusal>> + Send>>;

/// Returns the report of the last stop as an HTML page without scripts; `None`: there is no report
/// yet. It reads a file, and may take a while. The error is for people.
pub(crate) type LastReport = Box<dyn FnOnce() -> Result<Option<String>, String> + Send>;

/// The settings of the process, as an operator changes them.
pub(crate) trait Settings: Send + Sync {
    /// Reads the settings again, and applies all of them or none.
    fn reload(&self) -> Reloading;

    /// Returns the settings that keep their values until a restart.
    fn waiting(&self) -> Vec<SettingChange>;

    /// Returns how the last report is read; `None`: the server writes none that can be read again.
    fn last_report(&self) -> Option<LastReport>;
}
