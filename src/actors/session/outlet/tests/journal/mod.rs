//! The broadcasts of a session that resumes, is saved, or falls behind the memory, with a journal:
//! against a plain list of all broadcasts.

mod server;

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use self::server::{Server, Sizes, keeps};
use super::super::{Outlet, Recipient, Wanted, Written};
use super::hearing::{Broadcast, USER, broadcast, hears};
use super::received::Received;
use super::setup;
use crate::accounts::LivePermissions;
use crate::actors::session::core::hears::Hears;
use crate::actors::session::memory_link::MemoryLink;
use crate::log::{KeptSearch, Log};
use crate::topic::Pattern;
use crate::wire::Seq;
use crate::wire::cbor::message_keys;

/// A read of the journal that takes longer has been forgotten.
const DEADLINE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
enum Step {
    Broadcast(Vec<Broadcast>),
    /// Gives the client's side so much room, and writes; then waits for the journal, or not.
    Write(usize, bool),
    /// Changes what the session wants to hear.
    Hear(Hears),
    /// The connection is lost, and the client resumes on another.
    Resume(Hears),
    /// The server restarts, and the client resumes.
    Restart(Hears),
    /// A successor takes the session over.
    Save,
}

fn login() -> impl Strategy<Value = Hears> {
    prop_oneof![1 => Just(Hears::EVERYTHING), 3 => hears()]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => vec(broadcast(), 1..30).prop_map(Step::Broadcast),
        4 => (0..1500_usize, any::<bool>()).prop_map(|(room, waits)| Step::Write(room, waits)),
        2 => hears().prop_map(Step::Hear),
        2 => login().prop_map(Step::Resume),
        1 => login().prop_map(Step::Restart),
        2 => Just(Step::Save),
    ]
}

fn sizes() -> impl Strategy<Value = Sizes> {
    (300..3000_usize, 0..2000_usize, 500..8000_u64).prop_map(|(log, newest, retained)| Sizes {
        log,
        newest,
        retained,
    })
}

struct Tried {
    runtime: Runtime,
    /// `None` only while it restarts.
    server: Option<Server>,
    outlet: Outlet,
    link: MemoryLink,
    all: Vec<Broadcast>,
    /// The choices of the session, each from a seq on.
    hears: Vec<(Seq, Hears)>,
    /// The last seq that the client knows of.
    received: Received,
    _temp: tempfile::TempDir,
}

fn recipient() -> Recipient {
    Recipient {
        name: Arc::from(USER),
        permissions: Arc::<LivePermissions>::default(),
    }
}

fn outlet(log: &Arc<Log>, after: Seq, hears: &Hears) -> Outlet {
    let mut outlet = Outlet::new(setup(log));
    outlet.follow(after, recipient(), hears, false);
    outlet
}

impl Tried {
    fn new(sizes: Sizes, hears: Hears) -> Tried {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let server = Server::create(temp.path().join("x.db"), sizes);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
        Tried {
            runtime,
            outlet: outlet(server.log(), Seq::ZERO, &hears),
            server: Some(server),
            link: MemoryLink::stream(),
            all: Vec::new(),
            hears: vec![(Seq::ZERO, hears)],
            received: Received::default(),
            _temp: temp,
        }
    }

    fn server(&mut self) -> &mut Server {
        self.server.as_mut().expect("it does not restart now")
    }

    /// Writes until the client takes no more, or nothing is left. Waits for the journal, or not.
    fn write(&mut self, room: usize, waits: bool, until: Option<Seq>) {
        self.link.takes = room;
        let wanted = Wanted {
            until,
            ends_on_gap: false,
        };
        let (outlet, link) = (&mut self.outlet, &mut self.link);
        let mut write = |cx: &mut Context<'_>| {
            let stopped = loop {
                match outlet.write(link, wanted, cx) {
                    Written::More => {}
                    Written::Unreadable => panic!("the journal cannot be read"),
                    stopped => break stopped,
                }
            };
            let reader = outlet.reader.as_ref();
            let is_done = until.is_some_and(|until| outlet.reached() >= until);
            let is_reading = reader.is_some_and(|reader| reader.is_in_journal()) && !is_done;
            // A client that takes no more is waited for by the next step.
            let is_waiting = is_reading && stopped == Written::Clear && outlet.is_clear();
            match is_waiting && waits {
                true => Poll::Pending,
                false => Poll::Ready(()),
            }
        };
        let written = async { tokio::time::timeout(DEADLINE, poll_fn(&mut write)).await };
        if self.runtime.block_on(written).is_err() {
            panic!("it waits for ever: {:#?}", self.outlet.reader);
        }
    }

    /// Takes what the client has got on this connection.
    fn receive(&mut self) -> Result<(), TestCaseError> {
        let taken = std::mem::take(&mut self.link.written);
        let bytes = self.received.take(&taken)?;
        self.link.written = bytes.to_vec();
        Ok(())
    }

    fn resume(&mut self, hears: Hears) -> Result<(), TestCaseError> {
        self.receive()?;
        self.link.written.clear(); // a frame in part is lost with its connection
        let after = self.received.last;
        let log = Arc::clone(self.server().log());
        self.outlet = outlet(&log, after, &hears);
        self.hears.retain(|(behind, _)| *behind < after);
        self.hears.push((after, hears));
        Ok(())
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Broadcast(broadcasts) => {
                let server = self.server.as_mut().expect("it does not restart now");
                broadcasts
                    .iter()
                    .for_each(|broadcast| server.push(broadcast));
                server.commit(&self.runtime);
                self.all.extend(broadcasts);
            }
            Step::Write(room, waits) => self.write(room, waits, None),
            Step::Hear(hears) => {
                let after = self.outlet.set_hears(&hears);
                self.hears.push((after, hears));
            }
            Step::Resume(hears) => self.resume(hears)?,
            Step::Restart(hears) => {
                let server = self.server.take().expect("it does not restart now");
                self.server = Some(server.restart());
                self.resume(hears)?;
                self.check_kept()?;
            }
            Step::Save => {
                let log = Arc::clone(self.server().log());
                let (saved, now) = (self.outlet.save(Instant::now()), Instant::now());
                let restored = Outlet::restore(saved, setup(&log), (recipient(), false), now);
                self.outlet = restored.expect("it is as it was saved");
            }
        }
        Ok(())
    }

    /// Compares the kept values with what was published.
    fn check_kept(&mut self) -> Result<(), TestCaseError> {
        let mut expected = BTreeMap::new();
        for (seq, broadcast) in (1..).zip(&self.all) {
            if let Broadcast::Message {
                topic: Some(topic), ..
            } = broadcast
                && keeps(broadcast)
            {
                match u64::is_multiple_of(seq, 3) {
                    true => expected.remove(topic),
                    false => expected.insert(topic.clone(), Seq(seq)),
                };
            }
        }
        let log = self.server().log();
        let (head, mut search) = (log.head(), KeptSearch::new(None, log.head()));
        let mut kept = Vec::new();
        while !search.is_over() {
            kept.extend(log.search_kept(&mut search));
        }
        prop_assert_eq!(head.0, self.all.len() as u64);
        let kept = kept.iter().map(|frame| {
            let keys = message_keys(frame).expect("a message");
            (keys.topic.expect("it has a topic").to_owned(), keys.seq)
        });
        prop_assert_eq!(kept.collect::<BTreeMap<_, _>>(), expected);
        Ok(())
    }

    /// Reads to the end, and compares.
    fn check(mut self) -> Result<(), TestCaseError> {
        let head = self.server().appender.seal();
        self.write(usize::MAX, true, Some(head));
        prop_assert_eq!(self.outlet.sent(), head);
        self.receive()?;
        prop_assert!(self.link.written.is_empty(), "only whole frames");
        let (after, hears) = self.hears.last().expect("the first");
        // The answer to a change says behind which seq it holds.
        let is_told = self.received.last == head || *after == head;
        prop_assert!(!hears.is_told || is_told, "it is told of everything");
        let trimmed = self.server().trimmed();
        for gap in &self.received.lost {
            prop_assert!(gap.to <= trimmed, "{gap:?} is held: {trimmed} is not");
        }
        for (seq, broadcast) in (1..).map(Seq).zip(&self.all) {
            let mut hears = self.hears.iter().rev();
            let (_, hears) = hears.find(|(after, _)| *after < seq).expect("the first");
            let is_for_it = broadcast.is_for(hears);
            self.received.check(seq, is_for_it, !is_for_it)?;
        }
        Ok(())
    }
}

proptest! {
    // PROPTEST_CASES asks for more.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(1000),
        ..ProptestConfig::default()
    })]

    #[test]
    fn session_gets_what_is_for_it_from_memory_and_journal(
        steps in vec(step(), 1..30),
        sizes in sizes(),
        hears in login(),
    ) {
        let mut tried = Tried::new(sizes, hears);
        for step in steps {
            tried.take(step)?;
        }
        tried.check()?;
    }
}

#[test]
fn resume_over_many_rows_reads_only_those_its_filter_matches() {
    const ROWS: u64 = 10_000;
    let sizes = Sizes {
        log: 1000,
        newest: 0,
        retained: 1 << 30,
    };
    let mut tried = Tried::new(sizes, Hears::EVERYTHING);
    for number in 1..=ROWS {
        let topic = match number {
            10 | 5_000 | 9_000 => "wanted".to_owned(),
            _ => format!("other/{}", number % 100),
        };
        let to = number.is_multiple_of(2).then(|| "v".to_owned());
        let to = to.filter(|_| topic != "wanted");
        let topic = Some(topic);
        let server = tried.server.as_mut().expect("it runs");
        server.push(&Broadcast::Message { topic, to });
        server.appender.commit(); // a row each
        if number.is_multiple_of(200) {
            server.commit(&tried.runtime);
        }
    }
    let filter = ["wanted", "+/none"].map(|text| Pattern::new(text).expect("a pattern"));
    let hears = Hears {
        filter: Some(filter.to_vec()),
        presence: false,
        is_told: true,
    };
    tried.resume(hears).expect("nothing was received");
    let head = tried.server().appender.seal();
    tried.write(usize::MAX, true, Some(head));
    tried.receive().expect("in order");
    assert_eq!(tried.received.got, [10, 5_000, 9_000].map(Seq));
    assert_eq!(
        (tried.received.last, &tried.received.lost[..]),
        (head, &[][..])
    );
    let read = tried.server().readers.searched_rows();
    assert!(read <= 3, "{read} rows");
}

#[test]
fn saved_session_gets_nothing_from_before_its_filter_changed() {
    let sizes = Sizes {
        log: 1 << 20,
        newest: 0,
        retained: 1 << 30,
    };
    let only = |pattern: &'static str| Hears {
        filter: Some(vec![Pattern::new(pattern).expect("a pattern")]),
        presence: false,
        is_told: true,
    };
    let message = |topic: &str| Broadcast::Message {
        topic: Some(topic.to_owned()),
        to: None,
    };
    let mut tried = Tried::new(sizes, only("a"));
    for step in [
        Step::Broadcast(vec![message("a")]),
        Step::Write(1000, true),
        Step::Broadcast(vec![message("b")]), // read, and the client is not told yet
        Step::Write(1000, true),
        Step::Hear(only("b")),
        Step::Save,
        Step::Broadcast(vec![message("b")]),
    ] {
        tried.take(step).expect("in order");
    }
    tried.write(usize::MAX, true, None);
    tried.receive().expect("in order");
    assert_eq!(tried.received.got, [Seq(1), Seq(3)]);
}
