//! Which settings a reload changes, and which wait for a restart. It does no I/O.

use arauto::limits::{Applies, Limit};

use crate::admin::SettingChange;
use crate::cli::settings::values::Values;

/// The settings that a server runs with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RunningSettings {
    values: Values,
    /// Those that have other values at a restart.
    waiting: Vec<SettingChange>,
}

impl RunningSettings {
    /// Returns the settings of a server that has begun with them.
    pub(super) fn new(values: Values) -> RunningSettings {
        let waiting = Vec::new();
        RunningSettings { values, waiting }
    }

    /// Returns the settings that have other values at a restart.
    pub(super) fn waiting(&self) -> &[SettingChange] {
        &self.waiting
    }

    /// Returns the settings that the server runs with once `wanted` is applied, and those that
    /// change by that.
    pub(super) fn with(&self, wanted: &Values) -> (RunningSettings, Vec<SettingChange>) {
        let mut next = RunningSettings::new(self.values.clone());
        let mut changed = Vec::new();
        let has_other_journal = self.values.get("journal") != wanted.get("journal");
        for (key, to) in wanted {
            let from = self.values.get(key).unwrap_or(&None);
            if from == to {
                continue;
            }
            let change = SettingChange {
                key: (*key).to_owned(),
                from: from.as_ref().map(toml::Value::to_string),
                to: to.as_ref().map(toml::Value::to_string),
            };
            let takes_effect = match effect_of(key) {
                Effect::Now => true,
                Effect::NowInTheSameJournal => !has_other_journal,
                Effect::AtRestart => false,
            };
            if takes_effect {
                next.values.insert(key, to.clone());
                changed.push(change);
            } else {
                next.waiting.push(change);
            }
        }
        (next, changed)
    }
}

/// When another value of a setting takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Now,
    /// Now, unless the journal itself begins or ends at a restart.
    NowInTheSameJournal,
    AtRestart,
}

fn effect_of(key: &str) -> Effect {
    if let Some(limit) = Limit::named(key) {
        return match limit.applies() {
            Applies::AtOnce | Applies::ToNewSessions => Effect::Now,
            _ => Effect::AtRestart,
        };
    }
    match key {
        "report" | "admin-token" | "tls-cert" | "tls-key" | "tls-client-ca" | "slow"
        | "default-role" => Effect::Now,
        "retain-bytes" | "cursor-hold" => Effect::NowInTheSameJournal,
        _ => Effect::AtRestart,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::settings::Settings;

    fn values(file: &str) -> Values {
        let settings = Settings::parse(file).expect(file);
        let config = settings.config().expect("they go together");
        settings.values(&config).expect("they are text")
    }

    fn keys(changes: &[SettingChange]) -> Vec<&str> {
        changes.iter().map(|change| change.key.as_str()).collect()
    }

    #[test]
    fn changed_settings_are_told_with_both_values() {
        let running = RunningSettings::new(values("patterns = 7\nslow = \"gap\"\n"));
        let (next, changed) = running.with(&values("patterns = 8\nidle-timeout = \"90s\"\n"));
        let change = |key: &str, from: Option<&str>, to: Option<&str>| SettingChange {
            key: key.to_owned(),
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
        };
        let idle = change("idle-timeout", None, Some("\"1m 30s\""));
        assert_eq!(changed, [idle, change("patterns", Some("7"), Some("8"))]);
        assert_eq!(next.waiting(), []);
        let (same, changed) = next.with(&values("patterns = 8\nidle-timeout = \"1m 30s\"\n"));
        assert_eq!((&same, changed), (&next, Vec::new()));
    }

    #[test]
    fn setting_that_waits_for_a_restart_keeps_its_value_until_it_is_taken_back() {
        let running = RunningSettings::new(values(""));
        let (next, changed) = running.with(&values("arbiters = 2\nlog = \"json\"\npatterns = 5\n"));
        assert_eq!(keys(next.waiting()), ["arbiters", "log"]);
        assert_eq!(keys(&changed), ["patterns"]);
        // It still waits, and is not told as a change.
        let (next, changed) = next.with(&values("arbiters = 2\npatterns = 5\n"));
        assert_eq!(
            (keys(next.waiting()), keys(&changed)),
            (vec!["arbiters"], vec![])
        );
        let (next, changed) = next.with(&values("patterns = 5\n"));
        assert_eq!((keys(next.waiting()), keys(&changed)), (vec![], vec![]));
    }

    #[test]
    fn size_of_the_journal_changes_unless_the_journal_begins_or_ends() {
        let with = values("journal = true\nretain-bytes = \"2GiB\"\n");
        let running = RunningSettings::new(with.clone());
        let (_, changed) = running.with(&values("journal = true\ncursor-hold = \"1MiB\"\n"));
        assert_eq!(keys(&changed), ["cursor-hold", "retain-bytes"]);
        let none = RunningSettings::new(values(""));
        let (next, changed) = none.with(&with);
        let all = ["cursor-hold", "journal", "retain-bytes"];
        assert_eq!(
            (keys(next.waiting()), keys(&changed)),
            (all.to_vec(), vec![])
        );
        let (next, _) = running.with(&values(""));
        assert_eq!(keys(next.waiting()), all);
    }
}
