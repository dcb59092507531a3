//! Medians and spreads.

/// The median, the least and the most of some values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The value in the middle.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The most.
    pub most: f64,
}

impl Spread {
    /// Returns the spread of these values; `None` if there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            0 => f64::midpoint(values[middle - 1], values[middle]),
            _ => values[middle],
        };
        Some(Spread {
            median,
            least,
            most,
        })
    }

    /// Converts it to another unit.
    pub fn times(self, factor: f64) -> Spread {
        Spread {
            median: self.median * factor,
            least: self.least * factor,
            most: self.most * factor,
        }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [median, least, most] = [self.median, self.least, self.most].map(digits);
        write!(f, "{median} ({least} to {most})")
    }
}

/// Formats a number with three significant digits.
pub fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        0.0 => 0,
        size => (2 - size.log10().floor() as i32).clamp(0, 5) as usize,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_is_printed_with_its_digits() {
        let spread = Spread::of([3.0, 1.0, 2.0, 10.0]).expect("values");
        assert_eq!(spread.to_string(), "2.50 (1.00 to 10.0)");
        assert_eq!(Spread::of([]), None);
        let shown = [0.0123, 0.5, 9.96, 54.32, 1234.5].map(digits);
        assert_eq!(shown, ["0.0123", "0.500", "9.96", "54.3", "1234"]);
    }
}
