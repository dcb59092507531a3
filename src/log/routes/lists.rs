//! The entries of each route.

use std::collections::VecDeque;

use crate::topic::{Route, Texts};

/// Identifies a route while one of its broadcasts is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::log) enum RouteId {
    Presence,
    Topic(u32),
    User(u32),
}

/// The numbers of the entries of one route, oldest first.
pub(super) type Numbers = VecDeque<u64>;

/// The lists of all routes.
#[derive(Debug)]
pub(super) struct RouteLists {
    presence: Numbers,
    topics: NamedLists,
    users: NamedLists,
    /// The entries of all routes to users.
    for_users: Numbers,
}

/// The lists of the routes of one kind, each with a name.
#[derive(Debug)]
struct NamedLists {
    names: Texts,
    /// By the number of the name.
    lists: Vec<Numbers>,
    /// The length of all names in bytes.
    length: usize,
}

/// The approximate memory of a route beside its name and its entries, in bytes: the smallest buffer
/// of a list, the list itself, and the place of the name.
const ROUTE_COST: usize = 4 * size_of::<u64>() + size_of::<Numbers>() + 24;

impl Default for RouteLists {
    fn default() -> Self {
        RouteLists {
            presence: Numbers::new(),
            topics: NamedLists::new(),
            users: NamedLists::new(),
            for_users: Numbers::new(),
        }
    }
}

impl RouteLists {
    /// Adds the newest entry to its route's list.
    pub(super) fn push(&mut self, route: Route<'_>, number: u64) -> RouteId {
        match route {
            Route::Presence => {
                self.presence.push_back(number);
                RouteId::Presence
            }
            Route::Topic(topic) => RouteId::Topic(self.topics.push(topic, number)),
            Route::User(user) => {
                self.for_users.push_back(number);
                RouteId::User(self.users.push(user, number))
            }
        }
    }

    /// Removes the oldest entry of a route, which is the oldest of all entries.
    pub(super) fn pop(&mut self, route: RouteId) {
        match route {
            RouteId::Presence => pop_front(&mut self.presence),
            RouteId::Topic(topic) => self.topics.pop(topic),
            RouteId::User(user) => {
                pop_front(&mut self.for_users);
                self.users.pop(user);
            }
        }
    }

    /// Returns the approximate memory of the lists in bytes; they have `entries` entries.
    pub(super) fn cost(&self, entries: usize) -> usize {
        let numbers = size_of::<u64>() * (entries + self.for_users.len());
        numbers + self.topics.cost() + self.users.cost()
    }

    /// Returns the numbers of a route's entries.
    pub(super) fn numbers(&self, route: RouteId) -> &Numbers {
        match route {
            RouteId::Presence => &self.presence,
            RouteId::Topic(topic) => &self.topics.lists[topic as usize],
            RouteId::User(user) => &self.users.lists[user as usize],
        }
    }

    /// Returns the numbers of the entries of all routes to users.
    pub(super) fn for_users(&self) -> &Numbers {
        &self.for_users
    }

    /// Returns each topic with the numbers of its entries, in no order.
    pub(super) fn topics(&self) -> impl Iterator<Item = (&str, &Numbers)> {
        let lists = (0..).zip(&self.topics.lists);
        let known = lists.filter(|(_, numbers)| !numbers.is_empty());
        known.map(|(id, numbers)| (self.topics.names.text(id), numbers))
    }

    pub(super) fn find(&self, route: Route<'_>) -> Option<RouteId> {
        match route {
            Route::Presence => (!self.presence.is_empty()).then_some(RouteId::Presence),
            Route::Topic(topic) => self.topics.names.find(topic).map(RouteId::Topic),
            Route::User(user) => self.users.names.find(user).map(RouteId::User),
        }
    }

    pub(super) fn route(&self, id: RouteId) -> Route<'_> {
        match id {
            RouteId::Presence => Route::Presence,
            RouteId::Topic(topic) => Route::Topic(self.topics.names.text(topic)),
            RouteId::User(user) => Route::User(self.users.names.text(user)),
        }
    }
}

impl NamedLists {
    fn new() -> NamedLists {
        NamedLists {
            names: Texts::new(),
            lists: Vec::new(),
            length: 0,
        }
    }

    fn push(&mut self, name: &str, number: u64) -> u32 {
        let id = self.names.take(name);
        let index = id as usize;
        if self.lists.len() <= index {
            self.lists.resize_with(index + 1, Numbers::new);
        }
        let list = &mut self.lists[index];
        if list.is_empty() {
            self.length += name.len();
        }
        list.push_back(number);
        id
    }

    fn pop(&mut self, id: u32) {
        let length = self.names.length(id);
        pop_front(&mut self.lists[id as usize]);
        if self.names.release(id) {
            self.length -= length;
        }
        if self.names.is_empty() {
            self.lists = Vec::new();
        }
    }

    fn cost(&self) -> usize {
        self.length + ROUTE_COST * self.names.len()
    }
}

/// Removes the oldest number. Frees the memory of an empty list.
fn pop_front(numbers: &mut Numbers) {
    numbers.pop_front();
    if numbers.is_empty() {
        *numbers = Numbers::new();
    }
}
