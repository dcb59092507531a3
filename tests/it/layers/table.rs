//! The design's table: which layer may use which.

/// A layer of the crate: the other layers that it may use, and the paths that it must not.
pub(super) struct Layer {
    pub(super) name: &'static str,
    pub(super) layers: &'static [&'static str],
    pub(super) never: &'static [&'static str],
}

/// Paths for the layer `transport` only.
pub(super) const SOCKETS: &[&str] = &[
    "tokio::net",
    "std::net",
    "std::os::unix::net",
    "std::os::linux::net",
];

pub(super) const LAYERS: &[Layer] = &[
    // Types that layers share which do not use each other.
    Layer {
        name: "framing",
        layers: &[],
        never: &["actix", "tokio", "std::fs", "std::os"],
    },
    // The traits that sessions need of a connection, and acceptors of a listener.
    Layer {
        name: "link",
        layers: &["framing"],
        never: &["actix", "std::os"],
    },
    Layer {
        name: "sync",
        layers: &[],
        never: &["actix", "tokio", "std::fs", "std::os"],
    },
    // Counts for monitoring.
    Layer {
        name: "counters",
        layers: &["sync", "wire"],
        never: &["actix", "tokio", "std::fs", "std::os"],
    },
    // Events for an audit log, which the program around the server keeps.
    Layer {
        name: "audit",
        layers: &["wire"],
        never: &["actix", "tokio", "std::fs", "std::os"],
    },
    Layer {
        name: "parse_error",
        layers: &[],
        never: &["actix", "tokio", "std::fs", "std::os"],
    },
    // Instants, written down for another process.
    Layer {
        name: "saved_time",
        layers: &[],
        never: &["actix", "tokio", "std::fs", "std::os"],
    },
    Layer {
        name: "rate",
        layers: &["parse_error", "saved_time"],
        never: &["actix", "tokio", "std::fs", "std::os"],
    },
    Layer {
        name: "deadline",
        layers: &["saved_time"],
        never: &["actix", "tokio", "std::fs", "std::os"],
    },
    // Used by the tests of interleavings only.
    Layer {
        name: "interleavings",
        layers: &[],
        never: &["actix", "tokio", "std::fs", "std::os"],
    },
    Layer {
        name: "topic",
        layers: &["parse_error"],
        never: &["actix", "tokio", "std::fs", "std::os"],
    },
    Layer {
        name: "wire",
        layers: &["framing", "parse_error", "topic"],
        never: &["actix", "tokio", "std::fs", "std::os"],
    },
    // tokio::sync and tokio::task are allowed: neither does I/O.
    Layer {
        name: "store",
        layers: &["topic", "wire"],
        never: &["actix", "tokio::io"],
    },
    Layer {
        name: "accounts",
        layers: &[
            "wire",
            "topic",
            "store",
            "rate",
            "link",
            "parse_error",
            "sync",
            "audit",
        ],
        never: &["actix", "tokio::io", "std::fs", "std::os"],
    },
    Layer {
        name: "log",
        layers: &[
            "topic",
            "wire",
            "store",
            "sync",
            "counters",
            "interleavings",
            "saved_time",
        ],
        // Shared state goes through `sync`, or the tests of interleavings miss it.
        never: &[
            "actix",
            "tokio::io",
            "std::os",
            "std::sync::atomic",
            "parking_lot",
            "futures_util::task",
        ],
    },
    Layer {
        name: "services",
        layers: &["wire", "sync", "close", "interleavings"],
        never: &[
            "actix",
            "tokio",
            "std::fs",
            "std::os",
            "std::sync::atomic",
            "parking_lot",
            "futures_util::task",
        ],
    },
    Layer {
        name: "close",
        layers: &["wire", "topic", "sync", "interleavings", "link"],
        never: &[
            "actix",
            "tokio::io",
            "std::fs",
            "std::os",
            "std::sync::atomic",
            "parking_lot",
            "futures_util::task",
        ],
    },
    Layer {
        name: "transport",
        layers: &["framing", "link", "deadline", "parse_error"],
        never: &["actix", "serde_cbor"],
    },
    Layer {
        name: "actors",
        layers: &[
            "wire",
            "topic",
            "accounts",
            "log",
            "close",
            "services",
            "framing",
            "link",
            "rate",
            "deadline",
            "interleavings",
            "saved_time",
            "sync",
            "counters",
            "audit",
        ],
        never: &["std::os", "rustix", "rusqlite"],
    },
    Layer {
        name: "server",
        layers: &[
            "topic",
            "wire",
            "store",
            "accounts",
            "log",
            "close",
            "services",
            "transport",
            "actors",
            "framing",
            "link",
            "rate",
            "parse_error",
            "interleavings",
            "counters",
            "audit",
        ],
        never: &["std::os", "rustix"],
    },
    Layer {
        name: "client",
        layers: &["wire", "transport", "framing", "link", "deadline", "rate"],
        never: &["actix", "std::os", "rustix"],
    },
    // Built for the fuzz targets only: a server without a transport.
    Layer {
        name: "fuzzing",
        layers: &[
            "wire", "accounts", "log", "close", "services", "actors", "framing", "link", "rate",
            "audit",
        ],
        never: &["std::os", "rustix"],
    },
    // The load engine is a module of the binary and of benches/peers, which measures other
    // servers too and has no runtime: it knows neither.
    Layer {
        name: "load",
        layers: &[],
        never: &[
            "actix",
            "tokio",
            "futures_util",
            "arauto::",
            "std::os",
            "rustix",
        ],
    },
    // The command line uses the library's public API only (`arauto::`). In the binary `crate::`
    // is the binary itself, whose modules are `admin`, `cli` and `load`.
    Layer {
        name: "cli",
        layers: &["load", "admin"],
        never: &["actix::"],
    },
    // HTTP about a server, through the library's public API.
    Layer {
        name: "admin",
        layers: &[],
        never: &["actix", "std::os", "rustix", "std::fs"],
    },
    Layer {
        name: "main",
        layers: &["cli"],
        never: &["actix"],
    },
    // Items beyond the public API, for the binary, the benchmarks and the tests; no code.
    Layer {
        name: "internal",
        layers: &[
            "store", "accounts", "log", "close", "services", "actors", "server", "topic",
        ],
        never: &["actix", "tokio", "fn "],
    },
    // It names every layer, and has no code.
    Layer {
        name: "lib",
        layers: &[
            "wire",
            "store",
            "accounts",
            "log",
            "close",
            "transport",
            "actors",
            "server",
            "client",
            "framing",
            "link",
            "parse_error",
            "rate",
            "deadline",
            "sync",
            "counters",
            "interleavings",
            "fuzzing",
            "saved_time",
            "topic",
            "audit",
        ],
        never: &["actix", "tokio", "fn "],
    },
];

/// The actors. Only the session imports other actors.
pub(super) const ACTORS: &[&str] = &["acceptor", "auth", "hub", "session", "supervisor"];
