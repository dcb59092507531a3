//! Formats tables for a terminal.

use comfy_table::{ContentArrangement, Table, presets};

/// Creates a table without lines, which `awk` can read too.
pub(super) fn plain_table<'a>(header: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    table
}

/// Returns the table's lines without trailing blanks.
pub(super) fn lines(table: &Table) -> String {
    let text = table.to_string();
    let lines = text.lines().map(str::trim_end);
    lines.collect::<Vec<_>>().join("\n")
}
