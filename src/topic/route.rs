//! The route of a broadcast: it selects the sessions that get it.

/// Selects the sessions that get a broadcast. A message without a topic that is for everybody
/// has no route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Route<'a> {
    /// Sessions that want to know who is present.
    Presence,
    /// Sessions with a filter that matches the topic, and sessions without a filter.
    Topic(&'a str),
    /// All sessions of one user, and no others.
    User(&'a str),
}

/// The routes of consecutive frames.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routes {
    /// The names of topics and users, one after the other.
    names: String,
    frames: Vec<RoutedFrame>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RoutedFrame {
    index: u32,
    offset: u32,
    kind: RouteKind,
    is_kept: bool,
    /// The end of the name in the names.
    end: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RouteKind {
    Presence,
    Topic,
    User,
}

impl Routes {
    /// Adds the route of the frame with this index, at this offset in bytes. `is_kept` says whether
    /// the message becomes its topic's kept value.
    ///
    /// # Panics
    /// If there are 4 GiB of frames or names.
    pub fn push(&mut self, index: u64, offset: usize, route: Route<'_>, is_kept: bool) {
        let short = |value: usize| u32::try_from(value).expect("frames and names are short");
        let (kind, name) = match route {
            Route::Presence => (RouteKind::Presence, ""),
            Route::Topic(topic) => (RouteKind::Topic, topic),
            Route::User(user) => (RouteKind::User, user),
        };
        self.names.push_str(name);
        self.frames.push(RoutedFrame {
            index: u32::try_from(index).expect("frames are few"),
            offset: short(offset),
            kind,
            is_kept,
            end: short(self.names.len()),
        });
    }

    /// Whether no frame has a route.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Removes all routes, and keeps the memory.
    pub fn clear(&mut self) {
        self.names.clear();
        self.frames.clear();
    }

    /// Returns each frame that has a route.
    pub fn iter(&self) -> impl Iterator<Item = Routed<'_>> {
        let mut start = 0;
        self.frames.iter().map(move |frame| {
            let end = frame.end as usize;
            let name = &self.names[std::mem::replace(&mut start, end)..end];
            Routed {
                index: u64::from(frame.index),
                offset: frame.offset,
                route: match frame.kind {
                    RouteKind::Presence => Route::Presence,
                    RouteKind::Topic => Route::Topic(name),
                    RouteKind::User => Route::User(name),
                },
                is_kept: frame.is_kept,
            }
        })
    }
}

/// A frame that has a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Routed<'a> {
    /// Its index among the frames.
    pub index: u64,
    /// Its offset in bytes.
    pub offset: u32,
    /// Its route.
    pub route: Route<'a>,
    /// Whether the message becomes its topic's kept value.
    pub is_kept: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_returned_as_they_were_added() {
        let added = [
            (0, 0, Route::Topic("a/b"), true),
            (3, 120, Route::User("ana"), false),
            (4, 160, Route::Presence, false),
            (9, 400, Route::Topic(""), false),
            (10, 500, Route::Topic("ç"), true),
        ];
        let mut routes = Routes::default();
        assert!(routes.is_empty());
        for _ in 0..2 {
            for (index, offset, route, is_kept) in added {
                routes.push(index, offset as usize, route, is_kept);
            }
            let found = routes.iter().map(|routed| {
                let Routed {
                    index,
                    offset,
                    route,
                    is_kept,
                } = routed;
                (index, offset, route, is_kept)
            });
            assert_eq!(found.collect::<Vec<_>>(), added);
            routes.clear();
            assert_eq!(routes.iter().count(), 0);
        }
    }
}
