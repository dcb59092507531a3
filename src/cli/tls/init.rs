//! `arauto tls init`: makes a self-signed certificate.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use arauto::Fingerprint;
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, date_time_ymd,
};

use super::default_pair::{default_pair, unusable};
use super::pair::Pair;
use crate::cli::exit::{Failure, sysexits};
use crate::cli::os;
use crate::cli::output;
use crate::cli::whole_file;

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// Write cert.pem and key.pem into this folder [default: `tls` in the data folder, where
    /// `arauto serve` looks for them].
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,

    /// A host name or address that the certificate is for; can be given more than once
    /// [default: localhost, 127.0.0.1, ::1 and this machine's name].
    #[arg(long = "name", value_name = "HOST_OR_IP")]
    names: Vec<String>,

    /// The days for which the certificate is valid.
    #[arg(long, value_name = "N", default_value_t = 825,
          value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,

    /// Replace existing files.
    #[arg(long)]
    force: bool,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let pair = match &args.folder {
        Some(folder) => Pair::within(folder),
        None => default_pair(),
    };
    for path in [&pair.certificate, &pair.key] {
        if !args.force && path.symlink_metadata().is_ok() {
            let message = format!(
                "{} exists already; --force replaces it, but clients that pin it must get the \
                 new fingerprint",
                path.display()
            );
            return Err(Failure::new(sysexits::CANTCREAT, message));
        }
    }
    for path in [&pair.certificate, &pair.key] {
        if path.is_dir() {
            return Err(write_failed(path, &"it is a folder; move it away"));
        }
    }
    let names = names(args);
    let (certificate, key) = make(&names, args.days)?;
    let folder = pair.certificate.parent().unwrap_or(Path::new("."));
    os::make_private_folder(folder).map_err(|error| write_failed(folder, &error))?;
    // A server that reads the pair between these two writes refuses it: the files do not match.
    write(&pair.key, &key)?;
    write(&pair.certificate, &certificate)?;
    print_next_steps(args, &pair, &names)
}

fn names(args: &Args) -> Vec<String> {
    if !args.names.is_empty() {
        return args.names.clone();
    }
    let mut names = ["localhost", "127.0.0.1", "::1"]
        .map(str::to_owned)
        .to_vec();
    names.extend(os::host_name().filter(|name| name != "localhost"));
    names
}

/// Makes a certificate and its key, as PEM.
fn make(names: &[String], days: u32) -> Result<(String, String), Failure> {
    let failed = |error: rcgen::Error| {
        let message = format!(
            "cannot make a certificate for {}: {error}",
            names.join(", ")
        );
        Failure::new(sysexits::USAGE, message)
    };
    let mut params = CertificateParams::new(names).map_err(failed)?;
    params.distinguished_name.remove(DnType::CommonName);
    let name = &names[0];
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let since_epoch = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let now = date_time_ymd(1970, 1, 1) + since_epoch;
    params.not_before = now - DAY; // other machines' clocks may be behind
    params.not_after = now + DAY * days;
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.self_signed(&key).map_err(failed)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

fn write(path: &Path, pem: &str) -> Result<(), Failure> {
    whole_file::replace_private(path, |file| file.write_all(pem.as_bytes()))
        .map_err(|error| write_failed(path, &error))
}

fn write_failed(path: &Path, error: &dyn Display) -> Failure {
    let message = format!("cannot write {}: {error}", path.display());
    Failure::new(sysexits::CANTCREAT, message)
}

/// Prints the files that were made, and the commands that use them.
fn print_next_steps(args: &Args, pair: &Pair, names: &[String]) -> Result<u8, Failure> {
    let fingerprint = Fingerprint::of_file(&pair.certificate).map_err(|error| unusable(&error))?;
    let (certificate, key) = (pair.certificate.display(), pair.key.display());
    let files = match &args.folder {
        None => String::new(),
        Some(_) => format!(" --tls-cert '{certificate}' --tls-key '{key}'"),
    };
    let host = names.iter().rev().find(|name| *name != "::1");
    let host = host.map_or("HOST", String::as_str);
    let text = format!(
        "{certificate} and {key}, for {}, valid for {} days\n\
         {fingerprint}\n\
         the server:  arauto serve --listen tls:0.0.0.0:7443{files}\n\
         a client:    arauto leitor --connect tls:{host}:7443 --tls-fingerprint {fingerprint}\n\
         an account:  arauto users add NAME\n",
        names.join(", "),
        args.days,
    );
    output::print(&text)
        .map_err(|failure| failure.with(&format!("{certificate} and {key} are written")))
}
