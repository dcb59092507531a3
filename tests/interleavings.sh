#!/usr/bin/env bash
# The log, the counter of frames in work, cursors and services, under schedules that shuttle chooses:
# 100,000 of each kind, or as many as ARAUTO_SCHEDULES says.
#   tests/interleavings.sh                        # all of them
#   tests/interleavings.sh tail:: --show-output   # some, with their counts and times
set -euo pipefail
cd "$(dirname "$0")/.."

export RUSTFLAGS='--cfg shuttle'
export CARGO_TARGET_DIR=$PWD/target/shuttle # other flags: nothing is shared with other builds

# A schedule is mostly the scheduler's own work.
optimized=(--config 'profile.dev.opt-level=1' --config 'profile.dev.package."*".opt-level=0')
for package in shuttle shuttle-engine shuttle-schedulers shuttle-std corosensei rand rand_pcg smallvec bitvec bytes; do
    optimized+=(--config "profile.dev.package.$package.opt-level=3")
done
exec cargo test --locked --lib "${optimized[@]}" -- "${@:-interleavings}"
