//! The files of the page. They are the same for everybody and tell nothing about the server.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A file of the page.
pub(super) struct PageFile {
    /// Its path in the URL.
    pub(super) path: &'static str,
    content_type: &'static str,
    text: &'static str,
}

/// Makes a file of the text beside this module.
macro_rules! page_file {
    ($path:literal, $content_type:ident, $name:literal) => {
        PageFile {
            path: $path,
            content_type: $content_type,
            text: include_str!($name),
        }
    };
}

/// The files.
pub(super) static FILES: [PageFile; 9] = [
    page_file!("/", HTML, "page.html"),
    page_file!("/page.css", CSS, "page.css"),
    page_file!("/icon.svg", SVG, "icon.svg"),
    page_file!("/page.js", SCRIPT, "page.js"),
    page_file!("/acts.js", SCRIPT, "acts.js"),
    page_file!("/history.js", SCRIPT, "history.js"),
    page_file!("/plots.js", SCRIPT, "plots.js"),
    page_file!("/tables.js", SCRIPT, "tables.js"),
    page_file!("/text.js", SCRIPT, "text.js"),
];

/// Returns whether a path is that of a file of the page.
pub(in crate::admin) fn is_page_file(path: &str) -> bool {
    FILES.iter().any(|file| file.path == path)
}

impl PageFile {
    /// Makes the answer. It is not cached: another version of the server has other files.
    pub(super) fn answer(&self) -> Response {
        let headers = [
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static(self.content_type),
            ),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        (headers, self.text).into_response()
    }
}
