//! Pings: so that the server hears from a session that has nothing to say, and so that a
//! server that has gone without a word is noticed.
//!
//! Decisions without I/O. The reading side asks what to do each time that its timer fires, and
//! reads what there is before it asks.
//!
//! A server answers the frames of a session in their order, and may take long for one. So the
//! silence behind a ping proves nothing while another frame of this session waits for its
//! answer; then TCP's own timeouts must do. Time in which this side does not read, because
//! nobody takes what it has read, proves nothing either.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::deadline::{InputDeadline, Verdict};

/// How long a server may be silent before it is taken for lost, where nobody says otherwise.
pub(super) const SERVER_TIMEOUT: Duration = Duration::from_secs(30);

/// Ids from here on are those of pings that nobody waits for.
const PING_IDS: u64 = 1 << 63;

/// Whether an answer's id is that of such a ping.
pub(super) fn is_ping(id: u64) -> bool {
    id >= PING_IDS
}

/// Counts what has been sent and answered; the writing and the reading side share it.
#[derive(Debug)]
pub(super) struct Activity {
    began: Instant,
    /// Microseconds from `began` to the last write.
    sent_at: AtomicU64,
    asked: AtomicU64,
    answered: AtomicU64,
}

impl Activity {
    pub(super) fn new(now: Instant) -> Activity {
        Activity {
            began: now,
            sent_at: AtomicU64::new(0),
            asked: AtomicU64::new(0),
            answered: AtomicU64::new(0),
        }
    }

    /// Notes that something has been written.
    pub(super) fn note_sent(&self, now: Instant) {
        let micros = now.saturating_duration_since(self.began).as_micros();
        let micros = u64::try_from(micros).unwrap_or(u64::MAX);
        self.sent_at.store(micros, Ordering::Relaxed);
    }

    /// Notes a frame that the server will answer; pings of the heartbeat are none.
    pub(super) fn note_asked(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes an answer.
    pub(super) fn note_answer(&self, id: u64) {
        if !is_ping(id) {
            self.answered.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn last_sent(&self) -> Instant {
        self.began + Duration::from_micros(self.sent_at.load(Ordering::Relaxed))
    }

    fn owes_answers(&self) -> bool {
        self.asked.load(Ordering::Relaxed) > self.answered.load(Ordering::Relaxed)
    }
}

/// When to ping, and when the server is lost.
#[derive(Debug)]
pub(super) struct Heartbeat {
    /// Without a frame from this side before a ping is sent.
    every: Duration,
    /// Without a byte from the server before one is sent.
    doubt: Duration,
    last_received: Instant,
    /// From a ping to the next byte from the server.
    deadline: Option<InputDeadline>,
    patience: Duration,
    next_id: u64,
}

/// The next action of the heartbeat.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeartbeatAction {
    /// Nothing for so long.
    Wait(Duration),
    /// Send a ping with this id.
    Ping(u64),
    /// The server is lost.
    Lost,
}

impl Heartbeat {
    /// Returns the heartbeat of a session whose server may be silent for `server_timeout`, and
    /// ends sessions that are silent for `idle_timeout`.
    pub(super) fn new(
        server_timeout: Duration,
        idle_timeout: Option<Duration>,
        now: Instant,
    ) -> Heartbeat {
        let doubt = server_timeout / 3;
        // The contract asks for a third: a ping on its way may be late.
        let every = idle_timeout.map_or(doubt, |idle| doubt.min(idle / 4));
        Heartbeat {
            every: every.max(Duration::from_millis(1)),
            doubt,
            last_received: now,
            deadline: None,
            patience: server_timeout - doubt,
            next_id: PING_IDS,
        }
    }

    /// Returns how often it looks at least.
    pub(super) fn interval(&self) -> Duration {
        self.every
    }

    /// Notes that something has come, at this time.
    pub(super) fn note_received(&mut self, at: Instant) {
        if at > self.last_received {
            self.last_received = at;
            self.deadline = None;
        }
    }

    /// Notes that this side did not read until now, for a reason of its own.
    pub(super) fn note_unread_pause(&mut self, now: Instant) {
        if let Some(deadline) = &mut self.deadline {
            deadline.restart(now);
        }
    }

    /// Decides what to do. Read what there is first.
    pub(super) fn next_action(&mut self, activity: &Activity, now: Instant) -> HeartbeatAction {
        if activity.owes_answers() {
            self.note_unread_pause(now);
        }
        let left = match &mut self.deadline {
            Some(deadline) => match deadline.judge(now, false) {
                Verdict::Expired => return HeartbeatAction::Lost,
                Verdict::Wait(left) => left,
            },
            None => self.doubt.saturating_sub(now - self.last_received),
        };
        let to_send = self
            .every
            .saturating_sub(now - activity.last_sent().min(now));
        let is_in_doubt = left.is_zero() && self.deadline.is_none();
        if !(to_send.is_zero() || is_in_doubt) {
            return HeartbeatAction::Wait(left.min(to_send));
        }
        if self.deadline.is_none() {
            self.deadline = Some(InputDeadline::new(self.patience, now));
        }
        self.next_id += 1;
        HeartbeatAction::Ping(self.next_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(30);
    const MOMENT: Duration = Duration::from_millis(1);

    struct Session {
        activity: Activity,
        heartbeat: Heartbeat,
        now: Instant,
        pings: u32,
    }

    impl Session {
        fn new(idle_timeout: Option<Duration>) -> Session {
            let now = Instant::now();
            Session {
                activity: Activity::new(now),
                heartbeat: Heartbeat::new(TIMEOUT, idle_timeout, now),
                now,
                pings: 0,
            }
        }

        /// Runs for so long; whether the server is lost then.
        fn run(&mut self, time: Duration, answers: bool) -> bool {
            let end = self.now + time;
            while self.now < end {
                match self.heartbeat.next_action(&self.activity, self.now) {
                    HeartbeatAction::Lost => return true,
                    HeartbeatAction::Wait(wait) => self.now += wait.max(MOMENT),
                    HeartbeatAction::Ping(id) => {
                        assert!(is_ping(id));
                        self.pings += 1;
                        self.activity.note_sent(self.now);
                        if answers {
                            self.now += MOMENT;
                            self.heartbeat.note_received(self.now);
                        }
                    }
                }
            }
            false
        }
    }

    #[test]
    fn silent_client_pings_at_least_every_third_of_the_idle_timeout() {
        let mut session = Session::new(Some(Duration::from_secs(3)));
        assert!(!session.run(Duration::from_secs(60), true));
        assert!((60..=90).contains(&session.pings), "{}", session.pings);
    }

    #[test]
    fn server_that_answers_pings_is_never_lost() {
        let mut session = Session::new(None);
        assert!(!session.run(TIMEOUT * 100, true));
        assert!(session.pings >= 290, "{}", session.pings);
    }

    #[test]
    fn server_that_answers_nothing_is_lost_within_its_timeout() {
        for idle_timeout in [None, Some(Duration::from_secs(3))] {
            let mut session = Session::new(idle_timeout);
            let began = session.now;
            assert!(session.run(TIMEOUT * 10, false));
            assert!(session.now - began <= TIMEOUT + Duration::from_secs(1));
        }
    }

    #[test]
    fn server_that_works_on_a_request_is_not_lost() {
        let mut session = Session::new(None);
        session.activity.note_asked();
        assert!(!session.run(TIMEOUT * 10, false));
        session.activity.note_answer(1);
        assert!(session.run(TIMEOUT * 2, false));
    }

    #[test]
    fn time_without_reading_is_not_the_servers_silence() {
        let mut session = Session::new(None);
        assert!(!session.run(TIMEOUT - MOMENT, false));
        for _ in 0..100 {
            session.now += TIMEOUT / 4;
            session.heartbeat.note_unread_pause(session.now);
            assert!(!session.run(MOMENT, false));
        }
        assert!(session.run(TIMEOUT, false));
    }

    #[test]
    fn suspended_client_gives_the_server_time_to_answer() {
        let mut session = Session::new(None);
        assert!(!session.run(TIMEOUT / 2, false));
        assert!(session.pings > 0);
        session.now += TIMEOUT * 100;
        assert!(!session.run(MOMENT, false));
        session.heartbeat.note_received(session.now);
        assert!(!session.run(TIMEOUT / 2, true));
    }
}
