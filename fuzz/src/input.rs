//! Choices that stand at the front of an input, before the bytes that are judged.

use arauto::wire::Charset;

/// An input, taken from its front.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The bytes that have not been taken yet.
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

/// Bytes in one of the encodings.
#[derive(Debug, Clone, Copy)]
pub struct Encoded<'a> {
    /// The encoding.
    pub charset: Charset,
    /// The longest line or message that is read.
    pub limit: usize,
    /// Where a line is cut: see [`place`].
    pub cut: u8,
    /// Its bytes, perhaps.
    pub bytes: &'a [u8],
}

impl<'a> Encoded<'a> {
    /// The choices of an input, as libFuzzer gives it, and its rest.
    pub fn new(data: &'a [u8]) -> Self {
        let mut input = Input::new(data);
        Encoded {
            charset: input.choose(Charset::ALL),
            limit: input.choose(&[1 << 20, 16]),
            cut: input.byte(),
            bytes: input.rest,
        }
    }
}

/// A place to split `length` bytes at, in front of the last of them.
pub fn place(choice: u8, length: usize) -> usize {
    match length {
        0 => 0,
        _ => usize::from(choice) * (length - 1) / 255,
    }
}
