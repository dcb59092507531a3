//! Files of JSON lines.

use std::path::Path;

use serde_json::Value;

/// Returns the values of a file that has one on each line.
#[track_caller]
pub fn json_lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("the server has made it");
    // A reader may come in the middle of a line.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let lines = whole.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("each line is json"))
        .collect()
}
