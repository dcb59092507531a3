//! One table of a report, as text or as HTML.

use maud::{Markup, html};

use crate::cli::table::{lines, plain_table};

/// A table with a title.
pub(super) struct Section {
    title: &'static str,
    header: &'static [&'static str],
    rows: Vec<Vec<String>>,
    /// A note about rows that are not shown.
    rest: Option<String>,
}

impl Section {
    pub(super) fn new(title: &'static str, header: &'static [&'static str]) -> Section {
        Section {
            title,
            header,
            rows: Vec::new(),
            rest: None,
        }
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    pub(super) fn rest(&mut self, rest: String) {
        self.rest = Some(rest);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn text(&self) -> String {
        let mut table = plain_table(self.header.iter().copied());
        self.rows.iter().for_each(|row| {
            table.add_row(row);
        });
        let lines = lines(&table);
        let rest = self.rest.as_ref();
        let rest = rest.map_or_else(String::new, |rest| format!("\n  {rest}"));
        format!("{}\n{lines}{rest}", self.title)
    }

    pub(super) fn html(&self) -> Markup {
        html! {
            h2 { (self.title) }
            div class="table" {
                table {
                    thead { tr { @for name in self.header { th { (name) } } } }
                    tbody {
                        @for row in &self.rows {
                            tr { @for cell in row { td { (cell) } } }
                        }
                    }
                }
            }
            @if let Some(rest) = &self.rest { p { (rest) } }
        }
    }
}
