//! The auth actor: owns the accounts and answers logins.
//!
//! Each login is its own future, so that one that waits for a hash delays no other. The table of
//! accounts decides between two first logins with one name.

use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorContext, AsyncContext, Context, Handler, Message, MessageResult, ResponseFuture,
    WrapFuture,
};

use super::ping::Ping;
use super::sentinel::Sentinel;
use crate::accounts::{Accounts, Admitted, Claim, LoginLimits, LoginRefusal};

/// Owns the accounts.
pub struct Auth {
    accounts: Arc<Accounts>,
    sentinel: Sentinel,
}

/// Checks a login.
#[derive(Message)]
#[rtype(result = "Result<Admitted, LoginRefusal>")]
pub struct Login(pub Claim);

/// Changes the limits of logins, and the role of new accounts.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SetLimits(pub LoginLimits);

/// Refuses every login that is not answered yet.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Seal;

/// Stops the actor. The answer is its accounts, for the caller to close.
#[derive(Message)]
#[rtype(result = "Arc<Accounts>")]
pub struct Stop;

impl Auth {
    /// Creates the actor; the sentinel reports its panic.
    pub fn new(accounts: Accounts, sentinel: Sentinel) -> Auth {
        Auth {
            accounts: Arc::new(accounts),
            sentinel,
        }
    }
}

/// How often the database is checked for changes of other processes. A session that such a
/// change revokes has 2 s to end, so that it has ended within 5 s.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Checks for changes for as long as the actor lives, one check at a time.
async fn check_for_changes(accounts: Arc<Accounts>) {
    loop {
        actix_rt::time::sleep(CHECK_INTERVAL).await;
        accounts.reload_changes().await;
    }
}

impl Actor for Auth {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if self.accounts.are_shared() {
            let checks = check_for_changes(Arc::clone(&self.accounts));
            ctx.spawn(checks.into_actor(self));
        }
        // Many sessions may log in at once; each has one login in work.
        ctx.set_mailbox_capacity(1 << 16);
    }
}

impl Handler<Login> for Auth {
    type Result = ResponseFuture<Result<Admitted, LoginRefusal>>;

    fn handle(&mut self, Login(claim): Login, _ctx: &mut Self::Context) -> Self::Result {
        let accounts = Arc::clone(&self.accounts);
        Box::pin(async move { accounts.login(&claim).await })
    }
}

impl Handler<Ping> for Auth {
    type Result = ();

    fn handle(&mut self, Ping: Ping, _ctx: &mut Self::Context) {}
}

impl Handler<SetLimits> for Auth {
    type Result = ();

    fn handle(&mut self, SetLimits(limits): SetLimits, _ctx: &mut Self::Context) {
        self.accounts.set_limits(&limits);
    }
}

impl Handler<Seal> for Auth {
    type Result = ();

    fn handle(&mut self, Seal: Seal, _ctx: &mut Self::Context) {
        self.accounts.seal();
    }
}

impl Handler<Stop> for Auth {
    type Result = MessageResult<Stop>;

    fn handle(&mut self, Stop: Stop, ctx: &mut Self::Context) -> Self::Result {
        self.sentinel.disarm();
        ctx.stop();
        MessageResult(Arc::clone(&self.accounts))
    }
}
