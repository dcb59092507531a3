#!/usr/bin/env bash
# The log and the counter of frames in work, under schedules that shuttle chooses:
# 100,000 of each kind, or as many as ARAUTO_SCHEDULES says. Arguments go to the test
# runner. Two minutes and a half to build, three to run, on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."

export RUSTFLAGS='--cfg shuttle'
export CARGO_TARGET_DIR=$PWD/target/shuttle # other flags: nothing is shared with other builds

# A schedule is mostly the scheduler's own work.
optimized=()
for package in shuttle shuttle-engine shuttle-schedulers shuttle-std corosensei rand rand_pcg; do
    optimized+=(--config "profile.dev.package.$package.opt-level=3")
done
exec cargo test --locked --lib "${optimized[@]}" interleavings -- "$@"
