//! The last line of an output, within a bound.

/// The longest line that is kept, in bytes.
const LONGEST: usize = 512;

/// Keeps the last line that is not blank.
#[derive(Debug, Default)]
pub(super) struct LastLine {
    /// The line that has begun.
    begun: Vec<u8>,
    last: Vec<u8>,
}

impl LastLine {
    /// Takes the next bytes of the output.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = LONGEST.saturating_sub(self.begun.len());
            let line = piece.strip_suffix(b"\n").unwrap_or(piece);
            self.begun.extend_from_slice(&line[..line.len().min(room)]);
            if line.len() < piece.len() {
                self.end_line();
            }
        }
    }

    /// Returns the line as text, without the blanks around it.
    pub(super) fn finish(mut self) -> String {
        self.end_line();
        String::from_utf8_lossy(&self.last).trim().to_owned()
    }

    fn end_line(&mut self) {
        if self.begun.iter().any(|byte| !byte.is_ascii_whitespace()) {
            std::mem::swap(&mut self.last, &mut self.begun);
        }
        self.begun.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last_line(pieces: &[&str]) -> String {
        let mut line = LastLine::default();
        pieces.iter().for_each(|piece| line.push(piece.as_bytes()));
        line.finish()
    }

    #[test]
    fn last_line_is_kept_however_the_output_is_cut() {
        assert_eq!(last_line(&[]), "");
        assert_eq!(last_line(&["one\ntwo\n"]), "two");
        assert_eq!(last_line(&["one\nt", "w", "o"]), "two");
        assert_eq!(last_line(&["one", "\n", "\n \r\n"]), "one");
    }

    #[test]
    fn long_line_is_cut() {
        let long = "x".repeat(10_000);
        assert_eq!(last_line(&["a\n", &long, &long, "\n"]).len(), LONGEST);
        assert_eq!(last_line(&[&long, "\nb"]), "b");
    }
}
