//! The metrics of a server.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use arauto::{Counts, PartState, ProbeOutcome, Statistics};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::writer::{FamilyWriter, Labels};
use crate::admin::audit::AuditFigures;
use crate::admin::snapshot::Snapshot;

/// The lags by which readers are counted: those that are at least so many broadcasts behind.
const LAGS: [(&str, u64); 6] = [
    ("1", 1),
    ("10", 10),
    ("100", 100),
    ("1000", 1_000),
    ("10000", 10_000),
    ("100000", 100_000),
];

/// The metrics of a server at one moment.
#[derive(Debug)]
pub(super) struct Families(pub(super) Snapshot);

impl Collector for Families {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut writer = FamilyWriter(encoder);
        let Snapshot {
            statistics,
            probe,
            stop,
            audit,
            has_stopped: _,
        } = &self.0;
        let version = env!("CARGO_PKG_VERSION");
        writer.gauges(
            "arauto_build_info",
            "The version of the server",
            [(vec![("version", version)], 1_u64)],
        )?;
        if let Some(statistics) = statistics {
            write_sessions(&mut writer, statistics)?;
            write_stream(&mut writer, statistics)?;
            write_logins(&mut writer, statistics)?;
            write_services(&mut writer, statistics)?;
            write_counts(&mut writer, &statistics.counts)?;
        }
        if let Some(probe) = probe {
            write_parts(&mut writer, probe)?;
        }
        write_audit(&mut writer, audit)?;
        let phase = stop.as_ref().map(|stop| stop.phase.to_string());
        writer.gauges(
            "arauto_stop_phase",
            "1 for the phase that the stop is in, once there is one",
            phase
                .iter()
                .map(|phase| (vec![("phase", phase.as_str())], 1_u64)),
        )
    }
}

fn write_sessions(writer: &mut FamilyWriter<'_>, statistics: &Statistics) -> fmt::Result {
    let sessions = statistics.sessions.iter().flat_map(|(endpoint, counts)| {
        let of = |state, count| {
            (
                vec![("endpoint", endpoint.as_str()), ("state", state)],
                count,
            )
        };
        [
            of("logged-in", counts.logged_in),
            of("unauthenticated", counts.unauthenticated),
        ]
    });
    writer.gauges(
        "arauto_sessions",
        "The sessions of each endpoint, by whether a user has logged in",
        sessions,
    )?;
    let lags = &statistics.lags;
    let behind = LAGS.iter().map(|(name, lag)| {
        let readers = lags.len() - lags.partition_point(|one| one < lag);
        (vec![("at_least", *name)], readers)
    });
    writer.gauges(
        "arauto_lagging_readers",
        "The readers that have not been sent the newest broadcasts, by how many at least",
        behind,
    )?;
    writer.gauge(
        "arauto_reader_lag_max",
        "The broadcasts that the reader furthest behind has not been sent",
        lags.last().copied().unwrap_or_default(),
    )?;
    writer.gauge(
        "arauto_requests_in_work",
        "Requests and publishes that were accepted and not answered yet",
        statistics.requests_in_work,
    )
}

fn write_stream(writer: &mut FamilyWriter<'_>, statistics: &Statistics) -> fmt::Result {
    writer.gauge(
        "arauto_stream_head",
        "The number of the newest broadcast",
        statistics.head.0,
    )?;
    writer.gauge(
        "arauto_log_held_bytes",
        "The bytes of the broadcasts that are held in memory",
        statistics.held_bytes,
    )?;
    writer.counter(
        "arauto_log_written_bytes",
        "The bytes of all broadcasts since the start",
        statistics.written_bytes,
    )?;
    writer.gauge(
        "arauto_page_file_bytes",
        "The bytes of the files in memory that many readers are sent broadcasts from",
        statistics.page_bytes,
    )
}

fn write_logins(writer: &mut FamilyWriter<'_>, statistics: &Statistics) -> fmt::Result {
    writer.gauge(
        "arauto_logins_hashing",
        "The passwords that are hashed now",
        statistics.hashing,
    )?;
    writer.gauge(
        "arauto_logins_waiting",
        "The logins that wait until their password can be hashed",
        statistics.logins_waiting,
    )?;
    let since_1970 = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let expires = statistics.certificate_expires.map(since_1970);
    writer.gauges(
        "arauto_certificate_expiry_timestamp_seconds",
        "When the certificate of tls endpoints expires, in seconds since 1970",
        expires.map(|expires| (Vec::new(), expires.as_secs())),
    )
}

fn service(name: &str) -> Labels<'_> {
    vec![("service", name)]
}

fn write_services(writer: &mut FamilyWriter<'_>, statistics: &Statistics) -> fmt::Result {
    let services = &statistics.services;
    writer.gauges(
        "arauto_service_offers",
        "The sessions that offer a service",
        services.iter().map(|one| (service(&one.name), one.offers)),
    )?;
    writer.gauges(
        "arauto_service_calls_in_work",
        "The calls that sessions have in work",
        services.iter().map(|one| (service(&one.name), one.in_work)),
    )?;
    writer.gauges(
        "arauto_service_calls_waiting",
        "The calls that wait for a free session",
        services.iter().map(|one| (service(&one.name), one.waiting)),
    )?;
    let ended = services.iter().flat_map(|one| {
        let as_ = |outcome, count| {
            (
                vec![("service", one.name.as_str()), ("outcome", outcome)],
                count,
            )
        };
        [as_("answered", one.answered), as_("failed", one.failed)]
    });
    writer.counters(
        "arauto_service_calls_ended",
        "The calls that were answered with a reply, and those that ended otherwise",
        ended,
    )
}

fn write_counts(writer: &mut FamilyWriter<'_>, counts: &Counts) -> fmt::Result {
    writer.counter(
        "arauto_sessions_started",
        "The sessions that began, those that were refused included",
        counts.sessions,
    )?;
    let ends = counts.ends.iter();
    writer.counters(
        "arauto_sessions_ended",
        "The sessions that ended, by reason",
        ends.map(|(reason, count)| (vec![("reason", reason.as_str())], *count)),
    )?;
    writer.counter("arauto_logins", "The logins that succeeded", counts.logins)?;
    let errors = counts.errors.iter();
    writer.counters(
        "arauto_errors",
        "The errors that clients were told, by code",
        errors.map(|(code, count)| (vec![("code", code.as_str())], *count)),
    )?;
    writer.counter(
        "arauto_gaps",
        "The gaps that readers were told of",
        counts.gaps,
    )?;
    writer.counter(
        "arauto_deliveries",
        "The broadcasts that were written to readers, once for each reader",
        counts.deliveries,
    )?;
    writer.counter(
        "arauto_sent_bytes",
        "The bytes that were written to clients",
        counts.sent_bytes,
    )?;
    writer.seconds(
        "arauto_journal_commit",
        "How long the commit of a batch of broadcasts took",
        &counts.commits,
    )?;
    writer.counter(
        "arauto_journal_failed_commits",
        "The batches of broadcasts that could not be committed",
        counts.failed_commits,
    )?;
    writer.counter(
        "arauto_journal_written_bytes",
        "The bytes of the broadcasts that were committed",
        counts.committed_bytes,
    )?;
    writer.gauge(
        "arauto_journal_wal_bytes",
        "The length of the write-ahead log of the database, behind the last commit",
        counts.wal_bytes,
    )
}

fn write_audit(writer: &mut FamilyWriter<'_>, audit: &AuditFigures) -> fmt::Result {
    writer.counter(
        "arauto_audit_records",
        "The records of the audit log that are on the disk",
        audit.written,
    )?;
    writer.counter(
        "arauto_audit_lost_records",
        "The records of the audit log that were lost, as the disk took none and too many waited",
        audit.lost,
    )?;
    writer.gauge(
        "arauto_audit_failing",
        "1 while the audit log cannot be written",
        u64::from(audit.problem.is_some()),
    )
}

fn write_parts(writer: &mut FamilyWriter<'_>, probe: &ProbeOutcome) -> fmt::Result {
    let names: Vec<String> = probe.parts.iter().map(|one| one.part.to_string()).collect();
    let parts = || names.iter().zip(&probe.parts);
    writer.gauges(
        "arauto_part_up",
        "1 for a part of the server that answers, 0 for one that does not or has ended",
        parts().map(|(name, probed)| {
            let is_up = matches!(probed.state, PartState::Answered(_));
            (vec![("part", name.as_str())], u64::from(is_up))
        }),
    )?;
    let answers = parts().filter_map(|(name, probed)| match probed.state {
        PartState::Answered(took) => Some((vec![("part", name.as_str())], took.as_secs_f64())),
        _ => None,
    });
    writer.gauges(
        "arauto_part_response_seconds",
        "How long a part of the server took to answer; of a thread of sessions: its delay",
        answers,
    )
}
