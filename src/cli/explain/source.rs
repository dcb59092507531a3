//! Where an explanation comes from: a report, or a running server.

use arauto::{Fate, Observation, RecentRoutes, Report, Seq, SessionRecord};

/// The knowledge about the sessions of a server.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    /// The server has stopped, and left this report.
    Stopped(&'a Report),
    /// The server runs.
    Running(&'a Observation),
}

impl<'a> Source<'a> {
    /// Returns the last broadcast.
    pub(super) fn head(self) -> Seq {
        match self {
            Source::Stopped(report) => report.head,
            Source::Running(now) => now.head,
        }
    }

    /// Returns the stream that the seqs count in.
    pub(super) fn stream(self) -> &'a str {
        match self {
            Source::Stopped(report) => &report.stream,
            Source::Running(now) => &now.stream,
        }
    }

    /// Returns the routes of the newest broadcasts; `None`: those of an older arauto's report.
    pub(super) fn routes(self) -> Option<&'a RecentRoutes> {
        match self {
            Source::Stopped(report) => report.routes.as_ref(),
            Source::Running(now) => Some(&now.routes),
        }
    }

    /// Returns the sessions, by number.
    pub(super) fn sessions(self) -> &'a [SessionRecord] {
        match self {
            Source::Stopped(report) => &report.sessions,
            Source::Running(now) => &now.sessions,
        }
    }

    /// Returns the fate of a broadcast at one of the sessions.
    pub(super) fn fate(self, record: &SessionRecord, seq: Seq) -> Fate {
        match self {
            Source::Stopped(report) => report.fate(record, seq),
            Source::Running(now) => now.fate(record, seq),
        }
    }

    /// Returns what knows all this, in words.
    pub(super) fn name(self) -> &'static str {
        match self {
            Source::Stopped(_) => "the report",
            Source::Running(_) => "the server",
        }
    }
}
