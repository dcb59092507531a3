//! The resume file of `arauto leitor --resume`, and the outbox of `arauto escritor --once-only`.
//!
//! - What is written is read back the same.
//! - What is read is written on one line, and read back the same.
//! - Memory stays in proportion to the file.

#![no_main]

#[path = "../../src/cli/outbox/state.rs"]
mod outbox;
#[path = "../../src/cli/state_file/state.rs"]
mod state;

use arauto::{Body, ResumePoint, Seq, Term};
use arauto_fuzz::input::Input;
use arauto_fuzz::memory::{in_proportion, peak};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(point) = in_proportion(data.len(), || state::read(data)) {
        kept(&point);
    }
    let (outbox, peak) = peak(|| outbox::read(data));
    // An empty message is three bytes of the file.
    assert!(peak <= 8 * 1024 + 256 * data.len(), "{peak} bytes");
    if let Ok(outbox) = outbox {
        kept_outbox(&outbox);
    }
    let (text, bytes) = data.split_at(data.len() / 2);
    let lossy = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let bare = |body| outbox::OutboxMessage {
        body,
        options: outbox::MessageOptions::default(),
    };
    let mut posted = bare(Body::from(lossy(bytes)));
    posted.options.topic = Some(lossy(text));
    posted.options.headers = [(lossy(bytes), lossy(text))].into();
    kept_outbox(&outbox::Outbox {
        producer: lossy(text),
        first: 1 + data.len() as u64,
        messages: [
            bare(Body::from(lossy(bytes))),
            bare(Body::from(bytes.to_vec())),
            posted,
        ]
        .into(),
    });
    let mut input = Input::new(data);
    let after = std::array::from_fn(|_| input.byte());
    let term =
        (input.byte() % 2 == 1).then(|| u64::from_le_bytes(std::array::from_fn(|_| input.byte())));
    kept(&ResumePoint {
        stream: String::from_utf8_lossy(input.rest).into_owned(),
        after: Seq(u64::from_le_bytes(after)),
        term: term.map(Term),
    });
});

fn kept(point: &ResumePoint) {
    let mut file = Vec::new();
    state::write(point, &mut file).expect("a Vec takes all");
    let text = file.strip_suffix(b"\n").expect("it is a line");
    assert!(!text.contains(&b'\n'));
    assert_eq!(&state::read(&file).expect("it was written so"), point);
}

fn kept_outbox(outbox: &outbox::Outbox) {
    let mut file = Vec::new();
    outbox::write(outbox, &mut file).expect("a Vec takes all");
    let text = file.strip_suffix(b"\n").expect("it is a line");
    assert!(!text.contains(&b'\n'));
    assert_eq!(&outbox::read(&file).expect("it was written so"), outbox);
}
