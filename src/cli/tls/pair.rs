//! A certificate and its key: two files that belong together.

use std::path::{Path, PathBuf};

/// A certificate's file and its key's.
pub struct Pair {
    /// The certificate's.
    pub certificate: PathBuf,
    /// The key's.
    pub key: PathBuf,
}

impl Pair {
    /// Where `arauto tls init` puts them, and `arauto serve` looks for them.
    pub fn of_data(data: &Path) -> Pair {
        Pair::within(&data.join("tls"))
    }

    /// Both in one folder.
    pub fn within(folder: &Path) -> Pair {
        Pair {
            certificate: folder.join("cert.pem"),
            key: folder.join("key.pem"),
        }
    }
}
