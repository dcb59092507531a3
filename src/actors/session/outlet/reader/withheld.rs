//! The broadcasts that the operator's rules kept from a client, for the report.

use crate::wire::Seq;

/// How many of the latest broadcasts are listed.
pub(super) const LISTED: usize = 16;

/// The latest broadcasts that rules kept from a client. Until there is one, this takes one word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Withheld(Option<Box<List>>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct List {
    latest: Vec<Seq>,
    unlisted_to: Option<Seq>,
}

impl Withheld {
    /// Creates the list from its parts.
    #[cfg(any(test, fuzzing))]
    pub(super) fn new(latest: Vec<Seq>, unlisted_to: Option<Seq>) -> Withheld {
        let list = List {
            latest,
            unlisted_to,
        };
        Withheld((list != List::default()).then(|| Box::new(list)))
    }

    /// Notes a broadcast behind all that are listed.
    pub(super) fn note(&mut self, seq: Seq) {
        let list = self.0.get_or_insert_default();
        if list.latest.len() == LISTED {
            list.unlisted_to = Some(list.latest.remove(0));
        }
        list.latest.push(seq);
    }

    /// Removes those behind a seq: they are judged again.
    pub(super) fn forget_behind(&mut self, after: Seq) {
        if let Some(list) = &mut self.0 {
            list.latest.retain(|seq| *seq <= after);
        }
    }

    /// Returns the last one, or 0.
    pub(super) fn last(&self) -> Seq {
        let last = self.listed().0.last();
        last.copied().unwrap_or(Seq::ZERO)
    }

    /// Returns the latest ones, and up to where earlier ones are not listed.
    pub(super) fn listed(&self) -> (&[Seq], Option<Seq>) {
        let list = self.0.as_deref();
        list.map_or((&[], None), |list| (&list.latest, list.unlisted_to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latest_withheld_broadcasts_are_listed() {
        let mut withheld = Withheld::default();
        assert_eq!(withheld.listed(), (&[][..], None));
        for seq in 1..=20 {
            withheld.note(Seq(seq * 10));
        }
        let (latest, unlisted_to) = withheld.listed();
        let latest = latest.to_vec();
        assert_eq!(latest.len(), LISTED);
        assert_eq!((latest[0], latest[15]), (Seq(50), Seq(200)));
        assert_eq!(unlisted_to, Some(Seq(40)));
        assert_eq!(Withheld::new(latest, unlisted_to), withheld);
        assert_eq!(withheld.last(), Seq(200));
        withheld.forget_behind(Seq(70));
        assert_eq!(
            withheld.listed(),
            (&[Seq(50), Seq(60), Seq(70)][..], unlisted_to)
        );
        assert_eq!(size_of::<Withheld>(), size_of::<usize>());
    }
}
