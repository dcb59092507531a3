# Short names for the usual commands: `just --list`. CONTRIBUTING.md has them without just.

# Lists the recipes
default:
    @just --list

# Builds the library, the program, the tests and the examples
build:
    cargo build --locked --all-targets

# Runs the tests, or those that the arguments name, as in `just test --test it shutdown::`
test *ARGS:
    cargo test --locked {{ ARGS }}

# Runs clippy and checks the format of all three crates
lint:
    cargo fmt --check
    cargo fmt --check --manifest-path benches/peers/Cargo.toml
    cargo fmt --check --manifest-path fuzz/Cargo.toml
    cargo clippy --locked --all-targets -- -D warnings
    cargo clippy --locked --all-targets --manifest-path benches/peers/Cargo.toml -- -D warnings

# Formats all three crates
fmt:
    cargo fmt
    cargo fmt --manifest-path benches/peers/Cargo.toml
    cargo fmt --manifest-path fuzz/Cargo.toml

# Runs all checks, as CI does; installs the tools that are missing (Debian 12, root)
ci:
    .ci/run

# Checks the pages, and builds the library's documentation
docs:
    cargo test --locked --test it pages
    RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps

# Draws the pictures of stops in docs/ again
pictures:
    cargo build --locked --release
    docs/pictures.sh

# Shows everything once
demo:
    cargo run --locked --release -- demo

# Runs the micro-benchmarks
bench *ARGS:
    cargo bench --locked --bench micro -- {{ ARGS }}

# Measures arauto beside other servers, as in `just peers --only paced`
peers *ARGS:
    benches/peers/run {{ ARGS }}

# Checks the model of the stop, and prints its figures
model:
    cargo test --locked --no-default-features --features server --config profile.dev.package.arauto.opt-level=2 --test model -- --include-ignored --nocapture

# Runs shared state under chosen schedules
interleavings *ARGS:
    tests/interleavings.sh {{ ARGS }}

# Stops the real server under load, and restarts responders, RUNS times
faults RUNS="20":
    ARAUTO_FAULT_RUNS={{ RUNS }} cargo test --locked --test it -- faults::flood faults::services

# Runs the hostile clients one after the other, and prints what they measured
hostile:
    cargo test --locked --test hostile -- --nocapture --test-threads 1

# Runs the fuzz targets, as in `just fuzz --seconds 600 cbor session`
fuzz *ARGS:
    fuzz/run {{ ARGS }}

# Builds for Windows and runs the tests under Wine
windows *ARGS:
    tests/windows.sh {{ ARGS }}

# Makes the .deb and the .zip of a release, as in `just package deb`
package *ARGS:
    packaging/package {{ ARGS }}

# Tests a package, as in `just package-test deb target/release/arauto` (Debian 12, root)
package-test *ARGS:
    packaging/test {{ ARGS }}

# Checks licences, sources and advisories of all dependencies
deny:
    cargo deny --locked check
