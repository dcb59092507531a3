//! The frames of operators: the lists of sessions and of cursors, and the removal of a cursor.

use super::Core;
use super::answers::answer_within;
use super::effects::{Ask, AskCursors, Effects};
use super::publish::refuse;
use super::work::Purpose;
use crate::services::ServiceInfo;
use crate::wire::{
    Cursors, ErrorCode, OfferLine, RemoveCursor, Role, ServerFrame, ServiceLine, ServiceList,
    ServiceQuery,
};

/// The bytes of an answer for each cursor, at most: two names of 64 bytes, five numbers, and the keys.
const CURSOR_LINE: usize = 256;

/// The most cursors of one answer.
const CURSORS: usize = 1000;

/// The bytes of an answer for each service and for each offer, at most: a name of 64 bytes, the
/// numbers, and the keys.
const SERVICE_LINE: usize = 256;
const OFFER_LINE: usize = 160;

/// The bytes of an answer beside its lines.
const ANSWER: usize = 64;

/// The most services of one answer.
const SERVICES: usize = 1000;

impl Core {
    pub(super) fn list_sessions<E: Effects>(&mut self, id: u64, fx: &mut E) {
        if self.admits_admin(id, "the list of sessions is for admins", fx) {
            fx.ask(Ask::Sessions);
            self.work.push(Purpose::Sessions { id });
        }
    }

    pub(super) fn list_cursors<E: Effects>(&mut self, cursors: Cursors<'_>, fx: &mut E) {
        let id = cursors.id;
        if self.admits_admin(id, "the list of cursors is for admins", fx) {
            let after = cursors.after;
            fx.ask_cursors(AskCursors::List {
                after: after.map(|after| (after.account.into_owned(), after.name.into_owned())),
                most: (self.limits.max_frame / CURSOR_LINE).clamp(1, CURSORS),
            });
            self.work.push(Purpose::Cursors { id });
        }
    }

    /// Answers with the services above the one that the query names.
    pub(super) fn list_services<E: Effects>(&mut self, query: &ServiceQuery<'_>, fx: &mut E) {
        let id = query.id;
        if !self.admits_admin(id, "the list of services is for admins", fx) {
            return;
        }
        self.note_answered(1, fx);
        let mut room = self.limits.max_frame.saturating_sub(ANSWER);
        let after = query.after.as_deref().unwrap_or_default();
        let known = fx.list_services(after, SERVICES + 1);
        let mut services = Vec::new();
        for info in known.iter().take(SERVICES) {
            let bytes = SERVICE_LINE + OFFER_LINE * info.offers.len();
            if bytes > room && !services.is_empty() {
                break;
            }
            room = room.saturating_sub(bytes);
            services.push(service_line(info));
        }
        let more = services.len() < known.len();
        answer_within(
            fx,
            id,
            &ServerFrame::Services(ServiceList { id, services, more }),
        );
    }

    pub(super) fn remove_cursor<E: Effects>(&mut self, remove: RemoveCursor<'_>, fx: &mut E) {
        let id = remove.id;
        if self.admits_admin(id, "removing cursors is for admins", fx) {
            fx.ask_cursors(AskCursors::Remove {
                account: remove.account.into_owned(),
                name: remove.name.into_owned(),
            });
            self.work.push(Purpose::RemoveCursor { id });
        }
    }

    /// Admits a frame that is for admins; others are refused with this message.
    fn admits_admin<E: Effects>(&mut self, id: u64, message: &str, fx: &mut E) -> bool {
        self.tally.accept(1);
        let is_admin = is_admin(fx);
        if !is_admin {
            self.note_answered(1, fx);
            refuse(fx, id, ErrorCode::Forbidden, message);
        }
        is_admin
    }
}

fn service_line(info: &ServiceInfo) -> ServiceLine<'static> {
    let offers = info.offers.iter().map(|offer| OfferLine {
        session: offer.session,
        user: offer.user.to_string().into(),
        limit: offer.limit.map(u64::from),
        in_work: offer.in_work.into(),
    });
    ServiceLine {
        service: info.name.to_string().into(),
        offers: offers.collect(),
        waiting: info.waiting as u64,
        answered: info.statistics.answered,
        failed: info.statistics.failed,
        p50_us: info.statistics.p50_us,
        p99_us: info.statistics.p99_us,
    }
}

/// Whether the client may ask for what is for admins.
pub(super) fn is_admin<E: Effects>(fx: &E) -> bool {
    fx.role() == Some(Role::Admin) || fx.is_own_user()
}
