//! What the supervisor stops beside the one session: the hub and auth.

use std::time::Instant;

use actix::Addr;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::actors::auth::{self, Auth};
use crate::actors::hub::{self, Hub};
use crate::actors::supervisor::{Closed, Crew};
use crate::close::ActorLine;
use crate::wire::Seq;

pub(super) struct Staff {
    pub(super) auth: Addr<Auth>,
    pub(super) hub: Addr<Hub>,
}

impl Crew for Staff {
    fn seal_doors(&self) -> LocalBoxFuture<'static, ()> {
        self.auth.send(auth::Seal).map(drop).boxed_local()
    }

    fn seal_log(&self) -> LocalBoxFuture<'static, Option<Seq>> {
        self.hub.send(hub::Seal).map(Result::ok).boxed_local()
    }

    fn stop_actors(&self) -> LocalBoxFuture<'static, ()> {
        let (hub, auth) = (self.hub.send(hub::Stop), self.auth.send(auth::Stop));
        async move {
            let _ = hub.await;
            let _ = auth.await;
        }
        .boxed_local()
    }

    fn limit_store(&self) -> Box<dyn Fn(Instant)> {
        Box::new(|_| {})
    }

    fn close_store(&self) -> LocalBoxFuture<'static, Closed> {
        let closed = Closed {
            trouble: Vec::new(),
            has_panicked: false,
        };
        async { closed }.boxed_local()
    }

    fn unclosed(&self) -> Vec<String> {
        Vec::new()
    }

    fn lines(&self) -> Vec<ActorLine> {
        Vec::new()
    }
}
