//! Simulated minutes: a publisher that outruns everybody, and readers of each kind.

use super::*;

const MIB: u64 = 1 << 20;

/// The length of a step.
const STEP: Duration = Duration::from_millis(5);

/// Bytes that the publisher offers in a step: 400 MiB a second.
const OFFERED: u64 = 2 * MIB;

/// Bytes that the socket of a client that reads nothing takes.
const SOCKET: u64 = 200 << 10;

/// A session, as the lag table sees it.
struct Reader {
    user: Arc<str>,
    position: u64,
    taken: u64,
    moved_at: Option<Instant>,
    is_live: bool,
    index: Option<usize>,
}

struct Simulation {
    lag_table: LagTable,
    now: Instant,
    written: u64,
    /// How long the publisher was held.
    held: Duration,
}

impl Simulation {
    fn new() -> Simulation {
        let now = Instant::now();
        Simulation {
            lag_table: LagTable::new(BackpressureLimits::default(), now),
            now,
            written: 0,
            held: Duration::ZERO,
        }
    }

    /// The publisher publishes, or is held, for a step.
    fn step(&mut self) {
        if self.lag_table.may_publish(self.written, self.now) {
            self.written += OFFERED;
        } else {
            self.held += STEP;
        }
        self.now += STEP;
    }

    fn come(&self, user: &str, after: u64) -> Reader {
        Reader {
            user: Arc::from(user),
            position: after,
            taken: 0,
            moved_at: None,
            is_live: false,
            index: None,
        }
    }

    /// The reader takes so much of what there is, and its socket is full then.
    fn take(&mut self, reader: &mut Reader, most: u64) {
        let taken = most.min(self.written - reader.position);
        if reader.index.is_some() && taken > 0 {
            reader.moved_at = Some(self.now);
        }
        reader.position += taken;
        reader.taken += taken;
        if reader.position == self.written {
            reader.is_live |= reader.taken > 0;
            return self.go(reader);
        }
        let report = Report {
            user: Some(Arc::clone(&reader.user)),
            position: reader.position,
            taken: reader.taken,
            moved_at: reader.moved_at,
            is_live: reader.is_live,
        };
        match reader.index {
            None => reader.index = Some(self.lag_table.enter(report, self.written)),
            Some(index) => {
                self.lag_table
                    .update(index, &report, self.written, self.now);
            }
        }
    }

    fn go(&mut self, reader: &mut Reader) {
        if let Some(index) = reader.index.take() {
            self.lag_table.leave(index, self.now);
        }
    }

    /// Runs so many minutes; how long the publisher was held in each of them.
    fn minutes(&mut self, count: usize, mut step: impl FnMut(&mut Simulation, u64)) -> Vec<u64> {
        let steps = 60_000 / 5;
        let mut held = Vec::new();
        for minute in 0..count as u64 {
            let before = self.held;
            for number in 0..steps {
                step(self, minute * steps + number);
                self.step();
            }
            held.push(u64::try_from((self.held - before).as_millis()).expect("a minute"));
        }
        held
    }
}

#[test]
fn laggards_that_have_caught_up_take_no_memory() {
    let mut simulation = Simulation::new();
    simulation.written = MIB;
    let mut readers: Vec<Reader> = (0..1000).map(|_| simulation.come("rui", 0)).collect();
    for reader in &mut readers {
        simulation.take(reader, SOCKET);
    }
    assert!(simulation.lag_table.laggards.capacity() >= 1000);
    for reader in &mut readers {
        simulation.take(reader, MIB);
    }
    assert!(simulation.lag_table.laggards.capacity() <= FEW);
}

#[test]
fn stalled_resumes_far_behind_hold_no_publisher() {
    let mut simulation = Simulation::new();
    simulation.written = 60 * MIB;
    let mut sessions: Vec<Reader> = Vec::new();
    let held = simulation.minutes(2, |simulation, number| {
        if number % 20 == 0 {
            let after = simulation.written - 40 * MIB;
            let mut session = simulation.come("rui", after);
            simulation.take(&mut session, SOCKET);
            sessions.push(session);
            if sessions.len() > 2 {
                simulation.go(&mut sessions.remove(0));
            }
        }
    });
    assert_eq!(held, [0, 0]);
}

/// The longest wait that one user's stalled readers can cause in a minute, in milliseconds:
/// the budget's refill, its initial amount, and the free waiting each time that the budget
/// has been refilled.
const ONE_USER: u64 = 4_000 + 1_000 + 8 * 50;

#[test]
fn sessions_stalled_at_the_head_hold_for_the_user_budget() {
    for at_once in [1, 5, 100] {
        let mut simulation = Simulation::new();
        let mut sessions: Vec<Reader> = Vec::new();
        let held = simulation.minutes(3, |simulation, number| {
            if number % 5 != 0 {
                return;
            }
            if sessions.len() == at_once {
                simulation.go(&mut sessions.remove(0));
            }
            let head = simulation.written;
            sessions.push(simulation.come("rui", head));
            for session in &mut sessions {
                let left = SOCKET.saturating_sub(session.taken);
                if left > 0 {
                    simulation.take(session, left);
                }
            }
        });
        assert!(
            held.iter().all(|held| *held <= ONE_USER),
            "{at_once} at once: {held:?}"
        );
    }
}

#[test]
fn readers_stalled_after_reading_hold_for_the_user_budget() {
    for count in [1, 10] {
        let mut simulation = Simulation::new();
        let mut readers: Vec<Reader> = (0..count).map(|_| simulation.come("rui", 0)).collect();
        let held = simulation.minutes(3, |simulation, number| {
            if number % 100 == 0 {
                for reader in &mut readers {
                    // The log's tail passes those who lag by more than it holds.
                    let tail = simulation.written.saturating_sub(64 * MIB);
                    if reader.position < tail {
                        simulation.go(reader);
                        (reader.position, reader.is_live) = (tail, false);
                    }
                    simulation.take(reader, MIB / 2);
                }
            }
        });
        assert!(
            held.iter().all(|held| *held <= ONE_USER),
            "{count}: {held:?}"
        );
    }
}

#[test]
fn all_users_hold_publishers_for_the_total_budget() {
    let mut simulation = Simulation::new();
    let mut sessions: Vec<Reader> = Vec::new();
    let held = simulation.minutes(3, |simulation, number| {
        if number % 10 == 0 {
            for mut session in sessions.drain(..) {
                simulation.go(&mut session);
            }
            sessions.push(simulation.come(&format!("user {number}"), simulation.written));
        }
        for session in &mut sessions {
            let left = SOCKET.saturating_sub(session.taken);
            simulation.take(session, left);
        }
    });
    assert!(
        held.iter().all(|held| *held <= 8_000 + 2_000 + 8 * 50),
        "{held:?}"
    );
}

#[test]
fn publishing_with_many_slow_readers_keeps_the_least_rate() {
    let mut simulation = Simulation::new();
    let mut readers: Vec<Reader> = (0..50)
        .map(|number| simulation.come(&format!("user {number}"), 0))
        .collect();
    simulation.minutes(2, |simulation, number| {
        for reader in &mut readers {
            // Each just below the window, in lumps, so that somebody always holds.
            if number % 20 == 0 && simulation.written - reader.position > 8 * MIB {
                simulation.take(reader, 64 << 10);
            }
        }
    });
    let rate = simulation.written / 120;
    assert!(rate >= 4 * MIB, "{} KiB/s", rate >> 10);
}

#[test]
fn reader_at_the_least_rate_holds_publishers_without_end() {
    let mut simulation = Simulation::new();
    let mut reader = simulation.come("eva", 0);
    simulation.minutes(10, |simulation, number| {
        // It reads 12 MiB a second, and once a second it is busy elsewhere for 60 ms.
        if number % 4 == 0 && number % 200 < 190 {
            simulation.take(&mut reader, MIB / 4);
        }
        let lag = simulation.written - reader.position;
        assert!(lag <= 12 * MIB, "{} MiB behind at {number}", lag / MIB);
    });
}

#[test]
fn publisher_waits_for_many_readers_on_a_slow_machine() {
    let mut simulation = Simulation::new();
    let mut readers: Vec<Reader> = (0..1000).map(|_| simulation.come("all", 0)).collect();
    let held = simulation.minutes(1, |simulation, number| {
        // Each takes 2.5 MiB a second, a tenth of them at a time.
        let turn = usize::try_from(number % 10).expect("it is small");
        for reader in readers.iter_mut().skip(turn).step_by(10) {
            simulation.take(reader, MIB / 8);
        }
    });
    let behind = |reader: &Reader| simulation.written - reader.position;
    let furthest = readers.iter().map(behind).max().expect("there are some");
    assert!(furthest <= 12 * MIB, "{} MiB behind", furthest / MIB);
    assert!(held[0] > 50_000, "the publisher outruns them: {held:?}");
}

#[test]
fn reader_that_leaves_frees_its_entry() {
    let mut simulation = Simulation::new();
    for _ in 0..1000 {
        let mut reader = simulation.come("rui", 0);
        simulation.written += MIB;
        simulation.take(&mut reader, SOCKET);
        assert_eq!(simulation.lag_table.len(), 1);
        simulation.go(&mut reader);
    }
    assert_eq!(simulation.lag_table.len(), 0);
    let capacity = simulation.lag_table.laggards.capacity();
    assert!(capacity <= 8, "one entry is used again: {capacity}");
}
