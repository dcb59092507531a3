//! `/events`: what the page shows, as server-sent events.
//!
//! All viewers share one snapshot a second, and none is taken while there is no viewer. A stream ends
//! before the time of a request is over (see [`listener`](crate::admin::listener)); the browser then
//! opens the next one, which is checked as any request. So a stream does not outlive a login for long.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

use super::model::View;
use crate::admin::observed::Observed;

/// The most streams at once. It leaves most of the endpoint's connections to others.
const STREAMS: usize = 16;

/// The time between two snapshots.
const PERIOD: Duration = Duration::from_secs(1);

/// How long a stream lasts.
const STREAM_LIMIT: Duration = Duration::from_secs(25);

/// The pause of a browser before it opens the next stream.
const RETRY: Duration = Duration::from_millis(500);

/// The streams of a server. Clones share them.
#[derive(Clone)]
pub(super) struct Events(Arc<Shared>);

struct Shared {
    observed: Observed,
    places: Arc<Semaphore>,
    began: Instant,
    period: Duration,
    stream_limit: Duration,
    /// The newest view as JSON; `None` while none is taken.
    latest: watch::Sender<Option<Arc<str>>>,
    /// Whether a task takes snapshots. It begins and ends under this lock, so that each viewer has one.
    is_sampling: Mutex<bool>,
}

/// One stream.
struct Viewer {
    latest: watch::Receiver<Option<Arc<str>>>,
    until: Instant,
    _place: OwnedSemaphorePermit,
}

/// Answers with a stream, or with 503 where there are too many.
pub(super) async fn events(State(events): State<Events>) -> Response {
    let shared = events.0;
    let Ok(place) = Arc::clone(&shared.places).try_acquire_owned() else {
        let text = "too many pages are open: close one\n";
        return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
    };
    let viewer = Viewer {
        latest: join(&shared),
        until: Instant::now() + shared.stream_limit,
        _place: place,
    };
    Sse::new(stream::unfold(viewer, Viewer::next_event)).into_response()
}

impl Events {
    /// Makes the streams of a server. Nothing is done before one is opened.
    pub(super) fn new(observed: Observed) -> Events {
        Events::paced(observed, PERIOD, STREAM_LIMIT)
    }

    fn paced(observed: Observed, period: Duration, stream_limit: Duration) -> Events {
        Events(Arc::new(Shared {
            observed,
            places: Arc::new(Semaphore::new(STREAMS)),
            began: Instant::now(),
            period,
            stream_limit,
            latest: watch::Sender::new(None),
            is_sampling: Mutex::new(false),
        }))
    }
}

/// Adds a viewer, which gets the newest view first, and begins the sampling where it is off.
fn join(shared: &Arc<Shared>) -> watch::Receiver<Option<Arc<str>>> {
    let mut is_sampling = shared.is_sampling.lock();
    let mut latest = shared.latest.subscribe();
    latest.mark_changed();
    if !*is_sampling {
        *is_sampling = true;
        tokio::spawn(sample(Arc::clone(shared)));
    }
    latest
}

/// Takes snapshots until there is no viewer.
async fn sample(shared: Arc<Shared>) {
    let mut ticks = interval(shared.period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await; // the first one is over at once
        if shared.ends_unwatched() {
            return;
        }
        let view = View::take(&shared.observed, shared.began.elapsed()).await;
        let text = serde_json::to_string(&view);
        let text = text.expect("these types have nothing that JSON lacks");
        shared.latest.send_replace(Some(text.into()));
    }
}

impl Shared {
    /// Ends the sampling if there is no viewer. The old view goes, so that no later viewer gets it.
    fn ends_unwatched(&self) -> bool {
        let mut is_sampling = self.is_sampling.lock();
        *is_sampling = self.latest.receiver_count() > 0;
        if !*is_sampling {
            self.latest.send_replace(None);
        }
        !*is_sampling
    }
}

impl Viewer {
    /// Waits for the next event of the stream; `None` at its end.
    async fn next_event(mut self) -> Option<(Result<Event, Infallible>, Viewer)> {
        let view = timeout_at(self.until, next_view(&mut self.latest)).await;
        let event = Event::default().retry(RETRY).data(view.ok()??);
        Some((Ok(event), self))
    }
}

async fn next_view(latest: &mut watch::Receiver<Option<Arc<str>>>) -> Option<Arc<str>> {
    loop {
        latest.changed().await.ok()?;
        let view = latest.borrow_and_update().clone();
        if view.is_some() {
            return view;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::audit::MaybeAudit;

    const SHORT: Duration = Duration::from_millis(10);

    fn events_of_a_server(stream_limit: Duration) -> Events {
        Events::paced(Observed::new(MaybeAudit::default()), SHORT, stream_limit)
    }

    #[tokio::test]
    async fn snapshots_are_shared_and_end_with_the_last_viewer() {
        let shared = events_of_a_server(STREAM_LIMIT).0;
        let (mut one, mut other) = (join(&shared), join(&shared));
        let first = next_view(&mut one).await.expect("there is one");
        let same = next_view(&mut other).await.expect("there is one");
        assert!(Arc::ptr_eq(&first, &same));
        drop(one);
        let second = next_view(&mut other).await.expect("there is one");
        assert!(!Arc::ptr_eq(&first, &second));
        drop(other);
        while *shared.is_sampling.lock() {
            tokio::time::sleep(SHORT).await;
        }
        assert!(shared.latest.borrow().is_none());
        // A later viewer has it begin again.
        assert!(next_view(&mut join(&shared)).await.is_some());
    }

    #[tokio::test]
    async fn stream_ends_at_its_limit_and_gives_up_its_place() {
        let shared = events_of_a_server(10 * SHORT).0;
        let place = Arc::clone(&shared.places).try_acquire_owned();
        let mut viewer = Viewer {
            latest: join(&shared),
            until: Instant::now() + shared.stream_limit,
            _place: place.expect("there is one"),
        };
        while let Some((_, next)) = viewer.next_event().await {
            viewer = next;
        }
        assert_eq!(shared.places.available_permits(), STREAMS);
    }

    #[tokio::test]
    async fn stream_beyond_the_bound_is_refused_until_one_ends() {
        let server = events_of_a_server(STREAM_LIMIT);
        let open = || events(State(server.clone()));
        let mut streams = Vec::new();
        for _ in 0..STREAMS {
            streams.push(open().await);
        }
        let is_open = |stream: &Response| stream.status() == StatusCode::OK;
        assert!(streams.iter().all(is_open));
        assert_eq!(open().await.status(), StatusCode::SERVICE_UNAVAILABLE);
        streams.pop();
        assert!(is_open(&open().await));
    }
}
