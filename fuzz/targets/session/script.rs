//! From an input to a script.

use std::collections::VecDeque;
use std::sync::Arc;

use arauto::fuzzing::{Framing, Peer, Piece, Script};
use arauto::wire::raw::{Direction, Terminator};
use arauto::wire::{Charset, Dialect, MAX_FRAME_BEFORE_LOGIN, RawDialect};
use arauto::{Answer, Handler, Request, Role, Upper};
use arauto_fuzz::input::Input;

/// The choices at the front of an input, and the client's bytes behind them.
pub struct Choices<'a> {
    pub dialect: Dialect,
    pub framing: Framing,
    /// The same before the login and after it.
    pub max_frame: usize,
    pub is_own_user: bool,
    pub may_register: bool,
    pub role: Role,
    is_slow: bool,
    hesitates: bool,
    is_echoed: bool,
    pub gone_after: Option<usize>,
    pub stop_at: Option<usize>,
    takes: Option<usize>,
    /// The longest piece of a stream; 0: it comes in one.
    piece: u8,
    pub bytes: &'a [u8],
}

const fn raw(charset: Charset, direction: Direction, terminator: Terminator) -> Dialect {
    Dialect::Raw(RawDialect {
        charset,
        direction,
        terminator,
    })
}

const DIALECTS: [(Dialect, Framing); 16] = {
    use Charset::{Utf8, Utf16Le, Windows1252};
    use Direction::{Duplex, Outbound};
    use Framing::{Messages, Stream};
    use Terminator::{None, Nul};
    [
        (Dialect::Cbor, Stream),
        (Dialect::Cbor, Messages),
        (Dialect::Text(Utf8), Stream),
        (Dialect::Text(Utf16Le), Stream),
        (Dialect::Text(Windows1252), Stream),
        (Dialect::Text(Utf8), Messages),
        (raw(Utf8, Duplex, None), Stream),
        (raw(Utf16Le, Duplex, None), Stream),
        (raw(Windows1252, Duplex, None), Stream),
        (raw(Utf8, Duplex, Nul), Messages),
        (raw(Utf16Le, Duplex, None), Messages),
        (raw(Utf8, Outbound, None), Stream),
        (raw(Utf16Le, Outbound, Nul), Messages),
        // The most is to be found here.
        (Dialect::Cbor, Stream),
        (Dialect::Cbor, Stream),
        (Dialect::Cbor, Messages),
    ]
};

impl<'a> Choices<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        let mut input = Input::new(data);
        let (dialect, framing) = input.choose(&DIALECTS);
        let flags = input.byte();
        let is = |flag: u8| flags & flag != 0;
        let role = input.choose(&[Role::Escritor, Role::Leitor, Role::Admin]);
        let max_frame = input.choose(&[MAX_FRAME_BEFORE_LOGIN, 1024]);
        let (piece, takes) = (input.byte(), input.byte());
        let (stop, gone) = (input.byte(), input.byte());
        Choices {
            dialect,
            framing,
            max_frame,
            is_own_user: is(1),
            may_register: !is(2),
            role,
            is_slow: is(4),
            hesitates: is(8),
            is_echoed: is(16),
            gone_after: is(32).then_some(8 * usize::from(gone)),
            stop_at: is(64).then_some(usize::from(stop)),
            takes: (takes > 0).then_some(usize::from(takes)),
            piece,
            bytes: input.rest,
        }
    }

    pub fn is_outbound(&self) -> bool {
        self.dialect.is_outbound()
    }

    pub fn pieces(&self) -> VecDeque<Piece> {
        match self.framing {
            Framing::Stream => self.stream(),
            Framing::Messages => self.messages(),
        }
    }

    /// Pieces of many lengths, none longer than was chosen.
    fn stream(&self) -> VecDeque<Piece> {
        let (mut rest, mut random) = (self.bytes, u32::from(self.piece));
        let mut pieces = VecDeque::new();
        while !rest.is_empty() {
            random = random.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            let length = match u32::from(self.piece) {
                0 => rest.len(),
                most => (random >> 16) as usize % most as usize + 1,
            };
            let (piece, behind) = rest.split_at(length.min(rest.len()));
            pieces.push_back(Piece {
                bytes: piece.to_vec(),
                is_whole: false,
            });
            rest = behind;
        }
        pieces
    }

    /// A byte says how long a message is; 255: that it goes on behind so many.
    fn messages(&self) -> VecDeque<Piece> {
        let mut rest = self.bytes;
        let mut pieces = VecDeque::new();
        while let Some((length, behind)) = rest.split_first() {
            let (piece, behind) = behind.split_at(usize::from(*length).min(behind.len()));
            rest = behind;
            let is_whole = *length < 255;
            if is_whole || !piece.is_empty() {
                pieces.push_back(Piece {
                    bytes: piece.to_vec(),
                    is_whole,
                });
            }
        }
        pieces
    }

    pub fn script(&self) -> Script {
        Script {
            dialect: self.dialect,
            framing: self.framing,
            max_frame: self.max_frame,
            may_register: self.may_register,
            is_own_user: self.is_own_user,
            role: self.role,
            handler: match self.is_slow {
                true => Arc::new(Slow),
                false => Arc::new(Upper),
            },
            peer: Peer {
                pieces: self.pieces(),
                hesitates: self.hesitates,
                takes: self.takes,
                gone_after: self.gone_after,
                stop_at: self.stop_at,
                echoed_within: self.is_echoed.then_some(self.max_frame),
                hangs_up: self.is_outbound(),
            },
        }
    }
}

/// Answers with what was asked, some turns later.
struct Slow;

impl Handler for Slow {
    fn handle(&self, request: Request<'_>) -> Answer {
        let (turns, body) = (request.body.as_bytes().len() % 4, request.body.into_owned());
        Answer::later(async move {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            Ok(body)
        })
    }
}
