//! The broadcasts that a reader's client chose and may receive, for the report.

use super::Reader;
use crate::actors::session::core::effects::Reception;
use crate::close::{SessionFilter, SubscribeRules};
use crate::topic::Pattern;

impl Reader {
    /// Returns the client's choice, the rules about it, and the broadcasts that they kept from it.
    pub(in super::super) fn reception(&self) -> Reception {
        let (withheld, withheld_unlisted_to) = self.withheld.listed();
        let rules = self.rules.as_ref();
        Reception {
            filter: self.filter_record(),
            rules: rules.map(|rules| SubscribeRules::new(rules, self.rules_after)),
            withheld: withheld.to_vec(),
            withheld_unlisted_to,
        }
    }

    fn filter_record(&self) -> Option<SessionFilter> {
        let since = self.chosen_after;
        match (&self.selected, &self.scan) {
            (Some(place), _) => {
                let (count, patterns) = place.first_patterns(SessionFilter::LISTED);
                let patterns = patterns.iter().map(Pattern::as_str);
                let presence = place.wants_presence();
                Some(SessionFilter::new(Some((count, patterns)), since, presence))
            }
            (None, Some(scan)) if scan.filter().is_none() && scan.wants_presence() => None,
            (None, Some(scan)) => {
                let filter = scan.filter();
                let patterns =
                    filter.map(|filter| (filter.len(), filter.iter().map(Pattern::as_str)));
                Some(SessionFilter::new(patterns, since, scan.wants_presence()))
            }
            (None, None) => None,
        }
    }
}
