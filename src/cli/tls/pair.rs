//! The files of a certificate and its key.

use std::path::{Path, PathBuf};

/// The paths of a certificate and its key.
pub struct Pair {
    /// The certificate's file.
    pub certificate: PathBuf,
    /// The key's file.
    pub key: PathBuf,
}

impl Pair {
    /// Returns the paths in a data folder, where `arauto tls init` writes the files and
    /// `arauto serve` looks for them.
    pub fn of_data(data: &Path) -> Pair {
        Pair::within(&data.join("tls"))
    }

    /// Returns the paths in a folder.
    pub fn within(folder: &Path) -> Pair {
        Pair {
            certificate: folder.join("cert.pem"),
            key: folder.join("key.pem"),
        }
    }
}
