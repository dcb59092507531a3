//! New values for a running server, all or none.

use super::check::check_values;
use super::config::{Applies, Config};
use super::handle::ServerHandle;
use super::limit::Limit;
use super::reconfigure_error::ReconfigureError;
use crate::log::Retention;
use crate::transport::Fingerprint;

impl ServerHandle {
    /// Gives the server the values of `wanted` that can change while it runs, all of them or none:
    /// the limits and timeouts that do not need a restart ([`Applies`]), `slow`, `default_role`, the
    /// certificate, whose files are read again, and how many bytes the journal keeps. Everything
    /// else stays as it is. Calls come one after the other. Returns the certificate's fingerprint, if
    /// there are `tls:` endpoints.
    ///
    /// It blocks while it reads the certificate. Sessions go on; they keep the values that their
    /// clients were told.
    ///
    /// ```
    /// # actix_rt::System::new().block_on(async {
    /// # let folder = tempfile::tempdir()?;
    /// # let listen = format!("unix:{}", folder.path().join("a.sock").display());
    /// # #[cfg(windows)]
    /// # let listen = format!("pipe:arauto-reconfigure-{}", std::process::id());
    /// let mut config = arauto::Config::default();
    /// config.listen = vec![listen.parse()?];
    /// let server = arauto::Server::bind(config.clone()).await?;
    ///
    /// config.limits.max_sessions = 50;
    /// server.reconfigure(config).await?;
    /// # server.stop().await;
    /// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// See [`ReconfigureError`]. Then the server has the values that it had.
    ///
    /// Cancel safety: the values may be applied in part.
    pub async fn reconfigure(
        &self,
        wanted: Config,
    ) -> Result<Option<Fingerprint>, ReconfigureError> {
        let mut running = self.reloadable.running().await;
        check_values(&wanted)?;
        let config = merge(&running, wanted);
        check_values(&config).map_err(ReconfigureError::Kept)?;
        let credentials = self.tls.prepare(&config)?;
        if !self.reloadable.apply(&config).await {
            return Err(ReconfigureError::Stopping);
        }
        *running = config;
        Ok(credentials.and_then(|new| self.tls.install(new)))
    }
}

/// Returns `running` with the values of `wanted` that can change.
fn merge(running: &Config, wanted: Config) -> Config {
    let mut config = Config {
        tls: wanted.tls,
        limits: wanted.limits,
        timeouts: wanted.timeouts,
        slow: wanted.slow,
        default_role: wanted.default_role,
        ..running.clone()
    };
    if let (Some(running), Some(wanted)) = (&mut config.storage.journal, wanted.storage.journal) {
        let age = running.age;
        *running = Retention { age, ..wanted };
    }
    for limit in Limit::all().filter(|limit| limit.applies() == Applies::AtRestart) {
        if let Some(value) = limit.get(running) {
            limit
                .set(&mut config, value)
                .expect("the server runs with this value");
        }
    }
    config
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::server::config::{Unit, Value};

    #[test]
    fn merged_configuration_keeps_what_needs_a_restart() {
        let mut running = Config::default();
        running.storage.journal = Some(Retention::default());
        let mut wanted = Config {
            listen: vec!["tcp:127.0.0.1:1".parse().expect("an endpoint")],
            ..Config::default()
        };
        wanted.storage.data = Some("/other".into());
        wanted.storage.journal = Some(Retention {
            bytes: 5,
            age: Some(Duration::from_secs(1)),
            cursor_hold: 6,
        });
        for limit in Limit::all() {
            let value = match limit.unit() {
                Unit::Count => Value::Number(9),
                Unit::Bytes => Value::Number(300_000),
                Unit::Time => Value::Time(Duration::from_secs(77)),
                Unit::Rate => Value::Rate("7/h".parse().expect("a rate")),
            };
            limit.set(&mut wanted, value).expect("it is in range");
        }
        let merged = merge(&running, wanted.clone());
        for limit in Limit::all() {
            let expected = match limit.applies() {
                Applies::AtRestart => limit.get(&running),
                Applies::AtOnce | Applies::ToNewSessions => limit.get(&wanted),
            };
            assert_eq!(limit.get(&merged), expected, "{}", limit.name());
        }
        assert_eq!(merged.listen.len(), 1);
        assert_eq!(merged.listen[0].endpoint, running.listen[0].endpoint);
        assert_eq!(merged.storage.data, None);
        let retention = merged.storage.journal.expect("there is one");
        assert_eq!(
            (retention.bytes, retention.age, retention.cursor_hold),
            (5, None, 6)
        );
    }

    #[test]
    fn journal_that_is_added_waits_for_a_restart() {
        let mut wanted = Config::default();
        wanted.storage.journal = Some(Retention::default());
        let merged = merge(&Config::default(), wanted);
        assert_eq!(merged.storage.journal, None);
        let mut running = Config::default();
        running.storage.journal = Some(Retention::default());
        let merged = merge(&running, Config::default());
        assert_eq!(merged.storage.journal, Some(Retention::default()));
    }
}
