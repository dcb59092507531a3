//! The sections of manual pages that clap does not know.

/// A section: some text, and a list of terms.
pub(super) struct Section {
    pub(super) heading: &'static str,
    pub(super) text: &'static str,
    /// Each term with its explanation.
    pub(super) rows: &'static [(&'static str, &'static str)],
}

/// Returns the sections of the page of this name.
pub(super) fn sections(page: &str) -> &'static [Section] {
    match page {
        "arauto" => &PROGRAM,
        "arauto-serve" => &SERVE,
        _ => &OTHERS,
    }
}

/// docs/commands.md has the same table; a test holds them together.
const PROGRAM: [Section; 3] = [
    Section {
        heading: "EXIT STATUS",
        text: "The codes are those of sysexits(3). arauto-serve(1) has codes of its own for the \
               stop of a server.",
        rows: &[
            ("0", "done, and everything that was printed has arrived"),
            (
                "64",
                "the arguments are wrong; an endpoint is impossible, for example a socket path \
                 above 107 bytes",
            ),
            (
                "65",
                "a file or a line is wrong: too long, not UTF-8, not of its format",
            ),
            (
                "66",
                "a file cannot be read, or the program of offer --lines cannot be started",
            ),
            (
                "69",
                "no server listens there, or another program does; no program offers the service",
            ),
            (
                "70",
                "a part panicked, or the request failed in the server or in its service",
            ),
            ("71", "the system gives too few descriptors or threads"),
            ("73", "a file cannot be written"),
            (
                "74",
                "stdout cannot be written, or a disk or a connection fails",
            ),
            (
                "75",
                "try again later; a service did not answer in time; a second signal has ended offer",
            ),
            ("76", "the other end does not speak the protocol"),
            ("77", "not allowed, or no password"),
            (
                "78",
                "the configuration is wrong; an endpoint that is listened on twice",
            ),
            (
                "141",
                "the reader of stdout has gone; a shell shows this code for SIGPIPE",
            ),
        ],
    },
    Section {
        heading: "ENVIRONMENT",
        text: "arauto-serve(1) lists the variables of the server.",
        rows: &[
            ("ARAUTO_ENDPOINT", "The server's endpoint, as --connect."),
            ("ARAUTO_USER", "The user to log in as, as --user."),
            (
                "ARAUTO_PASSWORD",
                "The password of that user; --password-file is a safer way to give it.",
            ),
            (
                "ARAUTO_SERVER_USER",
                "The user whose server is trusted on a local endpoint, as --server-user.",
            ),
        ],
    },
    Section {
        heading: "FILES",
        text: "",
        rows: &[
            (
                "/var/lib/arauto",
                "The data folder of a server that root runs: accounts, and the journal.",
            ),
            (
                "$XDG_STATE_HOME/arauto, ~/.local/state/arauto",
                "The data folder of a server that another user runs.",
            ),
        ],
    },
];

const SERVE: [Section; 4] = [
    Section {
        heading: "SIGNALS",
        text: "",
        rows: &[
            (
                "SIGTERM, SIGINT",
                "Stop: every client gets what was accepted for it. A second signal leaves one \
                 second for the rest, and a third exits at once.",
            ),
            (
                "SIGHUP",
                "Read the config file and the certificate of tls: endpoints again, as arauto reload \
                 does.",
            ),
        ],
    },
    Section {
        heading: "EXIT STATUS",
        text: "arauto(1) has the codes of a server that does not start.",
        rows: &[
            ("0", "everything accepted was answered and has arrived"),
            (
                "3",
                "delivery could not be confirmed, mostly because a deadline passed: the report \
                 names what is missing",
            ),
            ("4", "forced, by a second signal or by fim --now"),
            ("70", "a part of the server panicked"),
        ],
    },
    Section {
        heading: "ENVIRONMENT",
        text: "Each setting is also a variable: --max-frame is ARAUTO_MAX_FRAME, and so on. A \
               flag takes precedence over a variable, a variable over the config file, and the \
               file over the default. A variable that is empty counts as not set.",
        rows: &[
            ("ARAUTO_CONFIG", "The config file, as --config."),
            (
                "ARAUTO_LISTEN",
                "The endpoints to listen on, separated by blanks.",
            ),
            ("ARAUTO_JOURNAL", "true or false, as --journal."),
            ("ARAUTO_LOG_FORM", "The form of the log, as --log."),
            (
                "ARAUTO_LOG",
                "The records that the log has: error, warn, info, debug, trace, or a filter in \
                 the syntax of tracing's EnvFilter. The default is info.",
            ),
            (
                "STATE_DIRECTORY",
                "The data folder, as systemd sets it for StateDirectory=.",
            ),
        ],
    },
    Section {
        heading: "FILES",
        text: "",
        rows: &[
            (
                "arauto.db, arauto.db-wal, arauto.db-shm",
                "In the data folder: accounts, rules for them, and the journal.",
            ),
            (
                "tls/cert.pem, tls/key.pem",
                "In the data folder: the certificate and the key, as arauto tls init makes them.",
            ),
        ],
    },
];

const OTHERS: [Section; 1] = [Section {
    heading: "EXIT STATUS",
    text: "0 if everything was done, and if everything that was printed has arrived. arauto(1) \
           has the other codes.",
    rows: &[],
}];
