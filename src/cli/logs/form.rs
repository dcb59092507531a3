//! What the log looks like: a setting.

/// The log's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogForm {
    /// For a person.
    #[default]
    Human,
    /// For a program: one JSON object a line.
    Json,
}
