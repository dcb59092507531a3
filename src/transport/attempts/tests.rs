use std::cell::Cell;
use std::future::poll_fn;

use super::*;

/// An error that passes by itself, on every system.
fn passing() -> io::Error {
    io::ErrorKind::Interrupted.into()
}

#[test]
fn pauses_double_up_to_the_longest_series() {
    let mut backoff = Backoff::default();
    let pauses: Vec<_> = std::iter::from_fn(|| backoff.next_pause()).collect();
    let millis: Vec<_> = pauses.iter().map(Duration::as_millis).collect();
    assert_eq!(millis[..9], [1, 2, 4, 8, 16, 32, 64, 100, 100]);
    assert_eq!(pauses.iter().sum::<Duration>(), LONGEST_SERIES);
}

#[tokio::test]
async fn temporary_failure_is_retried_until_it_passes() {
    let (mut attempts, mut failures) = (Attempts::default(), 5);
    let written = poll_fn(|cx| {
        attempts.poll_write(cx, |_| {
            failures -= 1;
            Poll::Ready(if failures < 0 { Ok(7) } else { Err(passing()) })
        })
    });
    assert_eq!(written.await.expect("it passes"), 7);
    assert!(!attempts.has_failed());
    assert!(attempts.writes.series.is_none(), "it holds no timer");
}

#[tokio::test]
async fn lasting_failure_is_returned_and_remembered() {
    let mut attempts = Attempts::default();
    let waited = LONGEST_SERIES - FIRST_PAUSE;
    attempts.reads.series = Some(Box::new(Series {
        backoff: Backoff { last: None, waited },
        pause: Box::pin(sleep(Duration::ZERO)),
    }));
    let read = poll_fn(|cx| attempts.poll_read(cx, |_| Poll::Ready(Err::<(), _>(passing()))));
    let error = read.await.expect_err("it does not pass");
    assert_eq!(error.kind(), io::ErrorKind::Interrupted);
    assert!(attempts.has_failed());
}

#[tokio::test]
async fn attempt_during_a_pause_is_not_made() {
    let (mut attempts, tried) = (Attempts::default(), Cell::new(0));
    let mut poll = |cx: &mut Context<'_>| {
        attempts.poll_write(cx, |_| {
            tried.set(tried.get() + 1);
            Poll::Ready(Err::<(), _>(passing()))
        })
    };
    poll_fn(|cx| {
        for _ in 0..100 {
            assert!(poll(cx).is_pending());
        }
        Poll::Ready(())
    })
    .await;
    assert_eq!(tried.get(), 1);
}

#[test]
fn reset_is_remembered_but_a_refused_message_is_not() {
    let mut attempts = Attempts::default();
    let refused: io::Error = crate::framing::MessageTooLong { length: 7 }.into();
    let _ = attempts.note(Err::<(), _>(refused));
    let _ = attempts.note(Err::<(), _>(io::ErrorKind::Unsupported.into()));
    assert!(!attempts.has_failed());
    let _ = attempts.note(Err::<(), _>(io::ErrorKind::ConnectionReset.into()));
    let _ = attempts.note(Ok(()));
    assert!(attempts.has_failed());
}
