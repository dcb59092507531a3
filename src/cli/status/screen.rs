//! A status as lines for people.

use std::fmt::{self, Display, Write};
use std::time::Instant;

use bytesize::ByteSize;

use super::answer::{Figures, Part, Status};
use crate::cli::escape::one_line;
use crate::cli::reload::needs_restart;

/// Returns the screen of a status, with the rates since an earlier one.
pub(super) fn screen(status: &Status, earlier: Option<&(Instant, Status)>) -> String {
    let mut text = String::new();
    let earlier = earlier.and_then(|(when, status)| {
        let figures = status.figures.as_ref()?;
        Some((when.elapsed().as_secs_f64(), figures))
    });
    write_screen(&mut text, status, earlier).expect("a String takes it");
    text
}

fn write_screen(
    out: &mut String,
    status: &Status,
    earlier: Option<(f64, &Figures)>,
) -> fmt::Result {
    let (version, state) = (one_line(&status.version), one_line(&status.state));
    writeln!(out, "{:<10} arauto {version}, {state}", "server")?;
    if let Some(stop) = &status.stop {
        let (reason, phase) = (one_line(&stop.reason), one_line(&stop.phase));
        let left = stop.remaining_ms as f64 / 1000.0;
        writeln!(
            out,
            "{:<10} {reason}: phase {phase}, at most {left:.1} s left",
            "stop"
        )?;
    }
    if let Some(left) = status.stop_within_ms.filter(|_| status.stop.is_none()) {
        let left = left as f64 / 1000.0;
        writeln!(
            out,
            "{:<10} stops when the last session has gone, within {left:.1} s",
            "drain"
        )?;
    }
    if let Some(figures) = &status.figures {
        write_figures(out, figures, earlier)?;
    }
    let parts: Vec<String> = status.parts.iter().map(part).collect();
    if !parts.is_empty() {
        writeln!(out, "{:<10} {}", "parts", parts.join(", "))?;
    }
    for setting in &status.restart {
        writeln!(out, "{:<10} {}", "restart", needs_restart(setting))?;
    }
    Ok(())
}

fn write_figures(
    out: &mut String,
    figures: &Figures,
    earlier: Option<(f64, &Figures)>,
) -> fmt::Result {
    let rate = |of: fn(&Figures) -> u64| {
        earlier.map(|(seconds, earlier)| {
            let rise = of(figures).saturating_sub(of(earlier));
            Rate(rise as f64 / seconds.max(0.001))
        })
    };
    let stream = one_line(&figures.stream);
    let published = rate(|figures| figures.head);
    writeln!(
        out,
        "{:<10} {stream}, head {}{}",
        "stream",
        figures.head,
        Shown(published)
    )?;
    for sessions in &figures.sessions {
        let endpoint = one_line(&sessions.endpoint);
        let (logged_in, others) = (sessions.logged_in, sessions.unauthenticated);
        writeln!(
            out,
            "{:<10} {logged_in} logged in, {others} not, at {endpoint}",
            "sessions"
        )?;
    }
    let (started, logins) = (rate(|one| one.sessions_started), rate(|one| one.logins));
    writeln!(
        out,
        "{:<10} {} sessions{}, {} logins{}, {} gaps",
        "so far",
        figures.sessions_started,
        Shown(started),
        figures.logins,
        Shown(logins),
        figures.gaps
    )?;
    let (readers, lag) = (figures.readers, figures.lag_max);
    writeln!(
        out,
        "{:<10} {readers}, the furthest {lag} behind",
        "readers"
    )?;
    let (held, written) = (
        ByteSize(figures.held_bytes),
        ByteSize(figures.written_bytes),
    );
    writeln!(out, "{:<10} {held} in memory, {written} written", "log")?;
    writeln!(
        out,
        "{:<10} {} in work",
        "requests", figures.requests_in_work
    )?;
    for service in &figures.services {
        writeln!(
            out,
            "{:<10} {}: {} offer it, {} in work, {} waiting, {} answered, {} failed",
            "service",
            one_line(&service.service),
            service.offers,
            service.in_work,
            service.waiting,
            service.answered,
            service.failed
        )?;
    }
    Ok(())
}

fn part(part: &Part) -> String {
    let name = one_line(&part.part);
    match part.took_us {
        Some(micros) => format!("{name} {:.1} ms", micros as f64 / 1000.0),
        None => format!("{name} {}", one_line(&part.state).to_uppercase()),
    }
}

/// A rate a second.
struct Rate(f64);

/// A rate behind a count, where there is one.
struct Shown(Option<Rate>);

impl Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => Ok(()),
            Some(Rate(rate)) if *rate < 10.0 => write!(f, " ({rate:.1}/s)"),
            Some(Rate(rate)) => write!(f, " ({rate:.0}/s)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const STATUS: &str = r#"{
        "version": "0.1.0", "state": "stopping", "new": 1,
        "stop": {"reason": "signal", "phase": "drain", "remaining_ms": 7250},
        "stream": "s", "head": 812, "tail": 1, "held_bytes": 2048, "written_bytes": 4096,
        "requests_in_work": 3,
        "sessions": [{"endpoint": "unix:/a", "logged_in": 2, "unauthenticated": 1}],
        "readers": 2, "lag_max": 40, "sessions_started": 9, "logins": 8, "gaps": 1,
        "services": [{"service": "upper", "offers": 1, "in_work": 0, "waiting": 0,
                      "answered": 5, "failed": 0}],
        "parts": [{"part": "hub", "state": "answered", "took_us": 210},
                  {"part": "store", "state": "silent"}],
        "restart": [{"key": "arbiters", "from": "1", "to": "2"}]
    }"#;

    #[test]
    fn screen_has_a_line_for_each_subject() {
        let status: Status = serde_json::from_str(STATUS).expect("it is a status");
        let screen = screen(&status, None);
        let expected = "\
server     arauto 0.1.0, stopping
stop       signal: phase drain, at most 7.2 s left
stream     s, head 812
sessions   2 logged in, 1 not, at unix:/a
so far     9 sessions, 8 logins, 1 gaps
readers    2, the furthest 40 behind
log        2.0 KiB in memory, 4.0 KiB written
requests   3 in work
service    upper: 1 offer it, 0 in work, 0 waiting, 5 answered, 0 failed
parts      hub 0.2 ms, store SILENT
restart    arbiters stays 1; a restart makes it 2
";
        assert_eq!(screen, expected);
    }

    #[test]
    fn screen_of_a_watch_has_rates() {
        let status: Status = serde_json::from_str(STATUS).expect("it is a status");
        let mut earlier = status.clone();
        earlier.figures.as_mut().expect("it serves").head = 312;
        let when = Instant::now() - Duration::from_secs(10);
        let screen = screen(&status, Some(&(when, earlier)));
        assert!(
            screen.contains("head 812 (50/s)") || screen.contains("head 812 (49/s)"),
            "{screen}"
        );
        assert!(screen.contains("8 logins (0.0/s)"), "{screen}");
    }
}
