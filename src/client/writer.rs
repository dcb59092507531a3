//! The writing side of a session's connection.

use std::sync::Arc;
use std::time::Instant;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};

use super::error::{Break, ClientError};
use super::heartbeat::Activity;
use crate::framing::{Failure, Framing};
use crate::transport::failure_of;

/// The bytes from which on one write takes no further frame.
const BATCH: usize = 64 * 1024;

/// The writing side's ends of its channels with the reading side.
pub(super) struct WriteEnds {
    /// Resolves when the session is over.
    pub(super) hung_up: oneshot::Receiver<()>,
    /// Takes a failure of this side, which the reading side cannot notice.
    pub(super) failed: oneshot::Sender<ClientError>,
}

/// Writes frames, on a stream those that wait together in one write, until every handle of the
/// session is dropped or the session is over. Then it closes the write side.
pub(super) async fn write_frames(
    mut sink: impl AsyncWrite + Unpin,
    framing: Framing,
    mut frames: mpsc::Receiver<Vec<u8>>,
    activity: Arc<Activity>,
    ends: WriteEnds,
) {
    let WriteEnds {
        mut hung_up,
        failed,
    } = ends;
    loop {
        let frame = tokio::select! {
            biased; // what was sent before the end still goes out: a last ack, say
            frame = frames.recv() => frame,
            _ = &mut hung_up => None,
        };
        let Some(mut bytes) = frame else { break };
        while framing == Framing::Stream
            && bytes.len() < BATCH
            && let Ok(more) = frames.try_recv()
        {
            bytes.extend_from_slice(&more);
        }
        let written = async {
            sink.write_all(&bytes).await?;
            sink.flush().await
        };
        if let Err(error) = written.await {
            // Where the server has gone the reader learns why, behind what was sent before.
            if failure_of(&error) != Failure::PeerGone {
                let _ = failed.send(Break::of(error).into()); // or it is over
            }
            return;
        }
        activity.note_sent(Instant::now());
    }
    let _ = sink.shutdown().await; // or it is gone already
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use super::*;

    /// A sink whose writes all fail like this.
    struct Failing(io::ErrorKind);

    impl AsyncWrite for Failing {
        fn poll_write(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            _buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Err(self.0.into()))
        }

        fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// Returns the error that the reader gets for a write that failed like this.
    async fn heard(kind: io::ErrorKind) -> Option<ClientError> {
        let (outgoing, frames) = mpsc::channel(1);
        let (_hang_up, hung_up) = oneshot::channel();
        let (failed, write_failure) = oneshot::channel();
        outgoing.send(vec![0]).await.expect("there is room");
        let activity = Arc::new(Activity::new(Instant::now()));
        let ends = WriteEnds { hung_up, failed };
        write_frames(Failing(kind), Framing::Stream, frames, activity, ends).await;
        write_failure.await.ok()
    }

    #[tokio::test]
    async fn reader_gets_a_local_write_error() {
        let error = heard(io::ErrorKind::Other).await;
        assert!(matches!(error, Some(ClientError::Lost(_))), "{error:?}");
        // The server's end is still to be read, and may say why.
        assert!(heard(io::ErrorKind::BrokenPipe).await.is_none());
    }
}
