#!/usr/bin/env bash
# Draws the stops that README.md and docs/report.md show, from runs of their own:
#     docs/pictures.sh            (after cargo build --release)
set -euo pipefail
cd "$(dirname "$0")/.."
arauto=$PWD/target/release/arauto
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
export ARAUTO_PASSWORD=segredo ARAUTO_ENDPOINT=unix:@arauto-pictures

serve() { # OPTIONS…: in the background, once it listens
    "$arauto" serve --listen "$ARAUTO_ENDPOINT" --listen tcp:127.0.0.1:7411 --data "$folder/data" \
        --report "$folder/report.json" "$@" 2>"$folder/log" &
    server=$!
    until grep -q 'listening.*tcp' "$folder/log"; do sleep 0.05; done
}

sessions() {
    "$arauto" sessions --user tia --json | wc -l
}

draw() { # NAME: wide, and for a phone
    "$arauto" report "$folder/report.json" --svg "docs/$1.svg"
    "$arauto" report "$folder/report.json" --svg "docs/$1-phone.svg" --width 390
}

# Readers, one that stalls, two that ask and two that publish, all at work at the fim.
serve --drain-timeout 4s
for user in ana rui lento; do
    "$arauto" leitor --user "$user" >/dev/null 2>&1 &
done
stalled=$!
"$arauto" leitor --connect tcp:127.0.0.1:7411 --user eva >/dev/null 2>&1 &
until (($(sessions) == 5)); do sleep 0.05; done
kill -STOP "$stalled"
for user in leo mia; do
    seq 100000000 | "$arauto" pedir --user "$user" >/dev/null 2>&1 &
done
for user in lia zeca; do
    yes 'bom dia, a todos os que leem' | "$arauto" escritor --user "$user" >/dev/null 2>&1 &
done
until (($(sessions) == 9)); do sleep 0.05; done
sleep 2 # until nobody waits for the one that stands still
kill -TERM "$server"
wait "$server" || true
kill -CONT "$stalled"
kill $(jobs -p) 2>/dev/null || true
wait || true
draw stop

# 5,000 readers, with 2,000 broadcasts on their way.
serve
"$arauto" bench shutdown --endpoint "$ARAUTO_ENDPOINT" --sessions 5000 --messages 2000 >/dev/null
wait "$server"
draw stop-5000
