//! Opens the certificate and the data folder. This can take long, and can be abandoned.

use std::future::Future;

use super::config::Config;
use super::error::ServerError;
use super::storage::OpenStorage;
use super::thread::on_thread;
use super::tls::Tls;
use crate::store::WaitLimit;

/// Reads the certificate and opens the data folder, on a thread of its own. Once
/// `abandoned` resolves, SQLite is interrupted, and the function returns
/// [`ServerError::Abandoned`] when the thread has ended. If the disk hangs it does not return.
pub(super) async fn open(
    config: &Config,
    abandoned: impl Future<Output = ()>,
) -> Result<(Tls, OpenStorage), ServerError> {
    let (limit, config) = (WaitLimit::default(), config.clone());
    let its_limit = limit.clone();
    let mut opened = on_thread("arauto-open", move || {
        let tls = Tls::load(&config)?;
        let storage = OpenStorage::open(&config, &its_limit)?;
        Ok((tls, storage))
    });
    let outcome = tokio::select! {
        biased;
        () = abandoned => None,
        opened = &mut opened => Some(opened),
    };
    match outcome {
        Some(opened) => opened.map_err(|_| ServerError::Panicked)?,
        None => {
            let _interrupting = limit.abandon();
            let _ = opened.await; // closes what it had opened
            Err(ServerError::Abandoned)
        }
    }
}
