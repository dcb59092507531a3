//! The latest broadcasts of a kind that did not go to a client, for the report.

use crate::wire::Seq;

/// How many of the latest ones are listed.
pub(super) const LISTED: usize = 16;

/// The latest gaps that a client was told, or the latest broadcasts that rules kept from it, each with
/// its last seq. Until there is one, this takes one word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed<T>(Option<Box<List<T>>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct List<T> {
    latest: Vec<T>,
    unlisted_to: Option<Seq>,
}

/// An entry of a list.
pub(super) trait Entry {
    /// Returns the last seq that the entry is about.
    fn last_seq(&self) -> Seq;
}

impl Entry for Seq {
    fn last_seq(&self) -> Seq {
        *self
    }
}

impl Entry for (Seq, Seq) {
    fn last_seq(&self) -> Seq {
        self.1
    }
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Listed(None)
    }
}

impl<T: Entry> Listed<T> {
    /// Creates the list from its parts.
    #[cfg(any(test, fuzzing))]
    pub(super) fn new(latest: Vec<T>, unlisted_to: Option<Seq>) -> Listed<T> {
        let is_empty = latest.is_empty() && unlisted_to.is_none();
        Listed((!is_empty).then(|| {
            Box::new(List {
                latest,
                unlisted_to,
            })
        }))
    }

    /// Notes an entry behind all that are listed.
    pub(super) fn note(&mut self, entry: T) {
        let list = self.0.get_or_insert_with(|| {
            Box::new(List {
                latest: Vec::new(),
                unlisted_to: None,
            })
        });
        if list.latest.len() == LISTED {
            list.unlisted_to = Some(list.latest.remove(0).last_seq());
        }
        list.latest.push(entry);
    }

    /// Removes those behind a seq: they are judged again.
    pub(super) fn forget_behind(&mut self, after: Seq) {
        if let Some(list) = &mut self.0 {
            list.latest.retain(|entry| entry.last_seq() <= after);
        }
    }

    /// Returns the last seq of the last one, or 0.
    pub(super) fn last(&self) -> Seq {
        let last = self.listed().0.last();
        last.map_or(Seq::ZERO, Entry::last_seq)
    }

    /// Returns the latest ones, and up to where earlier ones are not listed.
    pub(super) fn listed(&self) -> (&[T], Option<Seq>) {
        let list = self.0.as_deref();
        list.map_or((&[], None), |list| (&list.latest, list.unlisted_to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latest_withheld_broadcasts_are_listed() {
        let mut withheld = Listed::default();
        assert_eq!(withheld.listed(), (&[][..], None));
        for seq in 1..=20 {
            withheld.note(Seq(seq * 10));
        }
        let (latest, unlisted_to) = withheld.listed();
        let latest = latest.to_vec();
        assert_eq!(latest.len(), LISTED);
        assert_eq!((latest[0], latest[15]), (Seq(50), Seq(200)));
        assert_eq!(unlisted_to, Some(Seq(40)));
        assert_eq!(Listed::new(latest, unlisted_to), withheld);
        assert_eq!(withheld.last(), Seq(200));
        withheld.forget_behind(Seq(70));
        assert_eq!(
            withheld.listed(),
            (&[Seq(50), Seq(60), Seq(70)][..], unlisted_to)
        );
        assert_eq!(size_of_val(&withheld), size_of::<usize>());
    }

    #[test]
    fn gaps_that_are_not_listed_end_with_their_last_seq() {
        let mut gaps = Listed::default();
        for seq in 0..=LISTED as u64 {
            gaps.note((Seq(10 * seq + 1), Seq(10 * seq + 5)));
        }
        let (latest, unlisted_to) = gaps.listed();
        assert_eq!((latest.len(), latest[0]), (LISTED, (Seq(11), Seq(15))));
        assert_eq!(unlisted_to, Some(Seq(5)));
    }
}
