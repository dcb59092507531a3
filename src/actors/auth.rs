//! The auth actor: owns the accounts, answers claims.
//!
//! Each claim is a future of its own, so that one that waits for a hash holds up
//! no other; what two claims to one name must agree on is settled in the table.

use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorContext, AsyncContext, Context, Handler, Message, MessageResult, ResponseFuture,
    WrapFuture,
};

use super::sentinel::Sentinel;
use crate::accounts::{Accounts, Admitted, Claim, LoginRefusal};

/// Owns the accounts.
pub struct Auth {
    accounts: Arc<Accounts>,
    sentinel: Sentinel,
}

/// Is this claim true?
#[derive(Message)]
#[rtype(result = "Result<Admitted, LoginRefusal>")]
pub struct Login(pub Claim);

/// Refuse every login that has not been answered yet.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Seal;

/// Stop, and hand the accounts over to whoever closes them.
#[derive(Message)]
#[rtype(result = "Arc<Accounts>")]
pub struct Stop;

impl Auth {
    /// An auth actor; the sentinel tells of its panic.
    pub fn new(accounts: Accounts, sentinel: Sentinel) -> Auth {
        Auth {
            accounts: Arc::new(accounts),
            sentinel,
        }
    }
}

/// How often the database is looked at for what other processes have changed. A session
/// that is revoked by that has 2 s to end, so that it is over within 5 s.
const LOOK: Duration = Duration::from_secs(1);

/// Looks for changes for as long as the actor lives; one look at a time.
async fn look_for_changes(accounts: Arc<Accounts>) {
    loop {
        actix_rt::time::sleep(LOOK).await;
        accounts.look_for_changes().await;
    }
}

impl Actor for Auth {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if self.accounts.are_shared() {
            let looking = look_for_changes(Arc::clone(&self.accounts));
            ctx.spawn(looking.into_actor(self));
        }
        // A storm of logins asks at once; each session asks one at a time.
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
