//! The resume file of `arauto leitor --resume`.
//!
//! - What is written is read back the same.
//! - What is read is written on one line, and read back the same.
//! - Memory stays in proportion to the file.

#![no_main]

#[path = "../../src/cli/state_file/state.rs"]
mod state;

use arauto::{ResumePoint, Seq, Term};
use arauto_fuzz::input::Input;
use arauto_fuzz::memory::in_proportion;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(point) = in_proportion(data.len(), || state::read(data)) {
        kept(&point);
    }
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
