//! A scripted server, for moments that a real server does not produce reliably.

use arauto::Seq;
use arauto::wire::cbor;
use arauto::wire::{
    ClientFrame, Closing, Decoded, LoggedIn, Millis, Presence, Role, ServerFrame, SessionId,
    Stopping, VERSION, Welcome,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::listener::Accepted;

/// Serves one session as a scripted server, which sends the broadcasts and the end in one write.
/// Returns the seq of the client's last ack.
pub(crate) async fn serve_all_at_once(pipe: &mut Accepted) -> Option<Seq> {
    let presence = |seq| Presence {
        seq: Seq(seq),
        user: "eva".into(),
        at: Millis(0),
    };
    let welcome = ServerFrame::Welcome(Welcome {
        version: VERSION,
        server: "script".into(),
        session: SessionId(1),
        max_frame: 1024,
        max_body: Some(900),
        idle_timeout: None,
        features: Vec::new(),
        limits: None,
    });
    write_frames(pipe, &[welcome]).await;
    let mut login = vec![0; pipe.read_u32().await.expect("the client logs in") as usize];
    pipe.read_exact(&mut login)
        .await
        .expect("the client logs in");
    let logged_in = ServerFrame::LoggedIn(LoggedIn {
        id: 1,
        user: "lia".into(),
        role: Role::Leitor,
        registered: false,
        stream: "s".into(),
        seq: Seq(6),
        term: None,
        request_rate: None,
        filter: None,
        cursor_new: false,
    });
    let stopping = ServerFrame::Stopping(Stopping {
        id: None,
        reason: "fim".into(),
        phase: "announce".into(),
        remaining: 1,
    });
    let closing = ServerFrame::Closing(Closing {
        reason: "shutdown".into(),
        last_seq: Seq(8),
        accepted: 0,
        refused: 0,
    });
    let (joined, left) = (
        ServerFrame::Joined(presence(7)),
        ServerFrame::Left(presence(8)),
    );
    write_frames(pipe, &[logged_in, joined, left, stopping, closing]).await;
    pipe.shutdown().await.expect("the client is connected");

    let (mut input, mut last) = (Vec::new(), None);
    if let Err(error) = pipe.read_to_end(&mut input).await {
        // The end of a pipe on Windows.
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe, "{error}");
    }
    let mut rest = &input[..];
    while let Ok(Decoded::Frame(frame, length)) = cbor::decode_client(rest, 1024) {
        rest = &rest[length..];
        if let ClientFrame::Ack(ack) = frame {
            last = Some(ack.seq);
        }
    }
    last
}

async fn write_frames(pipe: &mut Accepted, frames: &[ServerFrame<'_>]) {
    let mut bytes = Vec::new();
    for frame in frames {
        cbor::encode_server(frame, &mut bytes);
    }
    pipe.write_all(&bytes)
        .await
        .expect("the client is connected");
}
