//! Choices that stand at the front of an input, before the bytes that are judged.

/// An input, taken from its front.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// What has not been taken yet.
    pub rest: &'a [u8],
}

impl<'a> Input<'a> {
    /// An input as libFuzzer gives it.
    pub fn new(rest: &'a [u8]) -> Self {
        Input { rest }
    }

    /// One byte; 0 where nothing is left.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else {
            return 0;
        };
        self.rest = rest;
        *first
    }

    /// One of `choices`.
    ///
    /// # Panics
    /// If there are none.
    pub fn choose<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }
}

/// A place to split `length` bytes at, in front of the last of them.
pub fn place(choice: u8, length: usize) -> usize {
    match length {
        0 => 0,
        _ => usize::from(choice) * (length - 1) / 255,
    }
}
