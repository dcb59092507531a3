//! Opening what a server begins with, which can take long and can be abandoned.

use std::future::Future;

use super::config::Config;
use super::error::ServerError;
use super::storage::OpenStorage;
use super::thread::on_thread;
use super::tls::Tls;
use crate::store::WaitLimit;

/// Reads the certificate and opens the data folder, on a thread of its own. Once
/// `abandoned` resolves, what SQLite does is interrupted, and the answer is
/// [`ServerError::Abandoned`] as soon as the thread is done; where a disk hangs, that is
/// never.
pub(super) async fn open(
    config: &Config,
    abandoned: impl Future<Output = ()>,
) -> Result<(Tls, OpenStorage), ServerError> {
    let (limit, config) = (WaitLimit::default(), config.clone());
    let its_limit = limit.clone();
    let mut opened = on_thread("arauto-open", move || {
        let tls = Tls::load(&config)?;
        let kept = OpenStorage::open(&config, &its_limit)?;
        Ok((tls, kept))
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
            let _ = opened.await; // what was opened is closed again
            Err(ServerError::Abandoned)
        }
    }
}
