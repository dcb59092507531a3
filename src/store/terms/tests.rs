use proptest::prelude::*;

use super::*;

fn terms(starts: &[(u64, u64)]) -> Terms {
    let starts = starts.iter().map(|&(number, after)| TermStart {
        number: Term(number),
        after: Seq(after),
    });
    Terms {
        starts: starts.collect(),
    }
}

fn resumed(terms: &Terms, after: u64, term: u64, head: u64) -> u64 {
    terms.resume_from(Seq(after), Term(term), Seq(head)).0
}

#[test]
fn resume_within_its_term_begins_where_it_asks() {
    let terms = terms(&[(1, 0), (50, 100), (70, 200)]);
    for (after, term) in [(0, 1), (100, 1), (40, 50), (200, 50), (260, 70), (7, 70)] {
        assert_eq!(
            resumed(&terms, after, term, 260),
            after,
            "{after} in {term}"
        );
    }
}

#[test]
fn resume_beyond_the_end_of_its_term_begins_at_that_end() {
    let terms = terms(&[(1, 0), (50, 100), (70, 200)]);
    assert_eq!(resumed(&terms, 150, 1, 260), 100);
    assert_eq!(resumed(&terms, 255, 50, 260), 200);
    assert_eq!(resumed(&terms, 300, 70, 260), 260);
}

#[test]
fn resume_in_an_unknown_term_begins_after_the_term_below() {
    let terms = terms(&[(10, 40), (50, 100), (70, 200)]);
    assert_eq!(resumed(&terms, 150, 49, 260), 100);
    assert_eq!(resumed(&terms, 300, 60, 260), 200);
    assert_eq!(resumed(&terms, 300, 80, 260), 260);
    assert_eq!(
        resumed(&terms, 60, 9, 260),
        40,
        "older than all that are remembered"
    );
}

#[test]
fn term_without_a_broadcast_is_replaced_by_the_next() {
    let mut terms = Terms::empty();
    terms.begin(Seq(0), None);
    assert_eq!(terms.current(), Term(1));
    for start in 1..100 {
        terms.begin(Seq(5), Some(Millis(start)));
    }
    assert_eq!(terms.starts.len(), 2);
    assert_eq!(terms.current(), Term(99_000));
}

#[test]
fn term_numbers_rise_after_the_clock_is_set_back() {
    let mut terms = Terms::empty();
    let mut before = Term(0);
    for (seq, now) in [(1, 1000), (2, 500), (3, 0), (4, 2000)] {
        terms.begin(Seq(seq), Some(Millis(now)));
        assert!(terms.current() > before);
        before = terms.current();
    }
}

#[test]
fn server_that_restarts_in_a_loop_is_remembered_within_bounds() {
    let connection = Connection::open_in_memory().expect("a database");
    let table = "CREATE TABLE term (number INTEGER PRIMARY KEY, after INTEGER, crc INTEGER)";
    connection.execute_batch(table).expect("an empty database");
    let mut terms = Terms::empty();
    for start in 1..=MAX_TERMS as u64 + 50 {
        terms.begin(Seq(start), Some(Millis(start)));
        terms.write(&connection).expect("writable");
        if start % 500 == 0 {
            let read = Terms::read(&connection, Seq(start)).expect("readable");
            assert_eq!(read.as_ref(), Ok(&terms));
        }
    }
    assert_eq!(terms.starts.len(), MAX_TERMS);
    let read = Terms::read(&connection, Seq(1 << 20)).expect("readable");
    assert_eq!(read, Ok(terms));
}

#[test]
fn term_row_that_does_not_fit_is_named() {
    let connection = Connection::open_in_memory().expect("a database");
    let table = "CREATE TABLE term (number INTEGER PRIMARY KEY, after INTEGER, crc INTEGER)";
    connection.execute_batch(table).expect("an empty database");
    terms(&[(1, 0), (50, 100)])
        .write(&connection)
        .expect("writable");
    let read = |head| Terms::read(&connection, Seq(head)).expect("readable");
    assert!(read(100).is_ok());
    assert_eq!(read(99), Err(InvalidTermRow(Term(50))));
    connection
        .execute("UPDATE term SET after = 101", [])
        .expect("writable");
    assert_eq!(read(200), Err(InvalidTermRow(Term(1))));
}

/// A server's state: its terms, and which broadcast has which seq.
#[derive(Clone)]
struct History {
    terms: Terms,
    /// The terms on disk: the current one is stored with its first broadcast.
    stored: Terms,
    /// Each broadcast is one of a kind, whatever its seq.
    broadcasts: Vec<u32>,
}

impl History {
    fn head(&self) -> Seq {
        Seq(self.broadcasts.len() as u64)
    }

    /// A server starts on what is on disk.
    fn start(&mut self, now: u64) {
        self.terms = self.stored.clone();
        self.terms.begin(self.head(), Some(Millis(now)));
    }
}

/// A client: the broadcasts that it has read, and the term in which it was logged in.
#[derive(Clone)]
struct Reader {
    read: Vec<u32>,
    term: Term,
}

#[derive(Debug, Clone)]
enum Step {
    Publish(u8),
    Restart,
    Copy,
    /// Restores a copy; 0 is the newest.
    Restore(usize),
    /// The reader with this index resumes and reads this many broadcasts.
    Read(usize, u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_u8..20).prop_map(Step::Publish),
        1 => Just(Step::Restart),
        1 => Just(Step::Copy),
        1 => (0_usize..3).prop_map(Step::Restore),
        4 => (0_usize..3, 0_u8..30).prop_map(|(reader, count)| Step::Read(reader, count)),
    ]
}

proptest! {
    /// For any sequence of copies and restores: what a reader keeps after a resume equals the
    /// broadcasts of the current history.
    #[test]
    fn fork_by_a_restored_copy_is_always_detected(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut now = 1;
        let (terms, stored) = (Terms::single(), Terms::single());
        let mut history = History { terms, stored, broadcasts: Vec::new() };
        let mut copies: Vec<History> = Vec::new();
        let first = Reader { read: Vec::new(), term: history.terms.current() };
        let mut readers = vec![first; 3];
        let mut next = 0;
        for step in steps {
            match step {
                Step::Publish(count) => for _ in 0..count {
                    history.broadcasts.push(next);
                    history.stored = history.terms.clone();
                    next += 1;
                },
                Step::Restart => {
                    now += 1;
                    history.start(now);
                }
                Step::Copy => copies.push(history.clone()),
                Step::Restore(back) => if let Some(place) = copies.len().checked_sub(back + 1) {
                    // Copies newer than the restored one are lost with the folder.
                    copies.truncate(place + 1);
                    history = copies[place].clone();
                    now += 1;
                    history.start(now);
                },
                Step::Read(index, count) => {
                    let reader = &mut readers[index];
                    let after = Seq(reader.read.len() as u64);
                    let from = history.terms.resume_from(after, reader.term, history.head());
                    prop_assert!(from <= after);
                    let from = usize::try_from(from.0).expect("there are few");
                    // The server reports the broadcasts above `from` as a gap.
                    reader.read.truncate(from);
                    prop_assert_eq!(&reader.read[..], &history.broadcasts[..from]);
                    let end = history.broadcasts.len().min(from + usize::from(count));
                    reader.read.extend_from_slice(&history.broadcasts[from..end]);
                    reader.term = history.terms.current();
                }
            }
        }
    }
}
