#!/usr/bin/env bash
# The log, the counter of frames in work, cursors and services, under schedules that shuttle chooses:
# 100,000 of each kind, or as many as ARAUTO_SCHEDULES says.
#   tests/interleavings.sh                        # all of them
#   tests/interleavings.sh tail:: --show-output   # some, with their counts and times
set -euo pipefail
cd "$(dirname "$0")/.."

# RUSTFLAGS would build every dependency again.
export RUSTC_WORKSPACE_WRAPPER=$PWD/tests/rustc-shuttle
exec cargo test --locked --lib --config profile.dev.package.arauto.opt-level=1 \
    -- "${@:-interleavings}"
