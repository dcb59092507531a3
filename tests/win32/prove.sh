#!/usr/bin/env bash
# Holds the Win32 programs of this folder against one another, so that a test which uses
# them can trust them: each end of the clients is seen once, in both builds, against a
# server that is not arauto. tests/windows.sh builds them and calls this.
set -euo pipefail
exec </dev/null
cd "$(dirname "$0")/../.."

programs=${ARAUTO_WIN32:-target/windows/win32}
said=$(mktemp -d target/windows/prove.XXXXXX)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$said"' EXIT
failures=0

wine() {
    local program=$1
    shift
    exec timeout 60 tests/windows.sh wine "$programs/$kind/$program.exe" "$@"
}

# What a client is expected to say on stdout and to end with.
expect() {
    local code=$1 text=$2 got=0 heard
    shift 2
    heard=$(wine "$@" 2>"$said/stderr") || got=$?
    # shellcheck disable=SC2053 # the text is a pattern
    if [[ $got != "$code" || $heard != $text ]]; then
        printf 'FAILED %s: %s\n  expected %s: %s\n  got %s: %s\n  stderr: %s\n' \
            "$kind" "$*" "$code" "$text" "$got" "$heard" "$(<"$said/stderr")"
        failures=$((failures + 1))
    fi
}

# Starts a server; it has ended well, or is ended, before the next one comes.
serve() {
    cat >"$said/lines" # a job in the background gets no stdin of its own accord
    wine "$@" <"$said/lines" 2>"$said/server" &
    server=$!
}

served() {
    local got=0
    wait "$server" || got=$?
    [[ $got == "$1" ]] || {
        printf 'FAILED %s: the server ended with %s: %s\n' "$kind" "$got" "$(<"$said/server")"
        failures=$((failures + 1))
    }
}

# Waits until a file has a word that a program is to say.
until_says() {
    for _ in {1..1500}; do
        ! grep -q "$1" "$2" || return 0
        sleep 0.02
    done
    echo "$2 never had: $1"
    exit 1
}

until_ready() {
    until_says ready "$said/server"
}

readers() {
    local text=$'bom dia\nação, João: 5 €\n\nfim'
    # By messages: each whole, the empty one too, and the end of the pipe behind `fim`.
    serve escritor "$pipe" <<<"$text"
    expect 0 "$((7 * unit)) bom dia"$'\n'"$((15 * unit)) ação, João: 5 €"$'\n0 \n'"$((3 * unit)) fim" \
        leitor -m -e -z -b 4 "$pipe"
    served 0
    # The empty message is an end for who does not expect it.
    serve escritor -c 1 "$pipe" <<<"$text"
    expect 5 '*€'$'\n''0 ' leitor -m "$pipe"
    wait "$server" || true # it may have met the reader's end
    # By bytes: what waits together comes as one.
    serve escritor "$pipe" <<<$'um\ndois\nfim'
    expect 4 "$((9 * unit)) umdoisfim" leitor -p 500 "$pipe"
    served 0
    expect 6 '' leitor -w 200 "$pipe"
}

requesters() {
    local fixed='Default answer from server'
    serve servidor -c 3 "$pipe"
    until_ready
    expect 0 "$((27 * unit)) bytes, 1 parts, NUL: $fixed"$'\n'"$((27 * unit)) bytes, 1 parts, NUL: $fixed" \
        pedir "$pipe" bom dia
    expect 0 "$((27 * unit)) bytes, * parts, NUL: $fixed" pedir -b 10 "$pipe" olá
    expect 0 "$((27 * unit)) bytes, * parts, NUL: $fixed" pedir -t -b 10 "$pipe" olá
    served 0
    serve servidor -u -c 3 "$pipe"
    until_ready
    expect 0 "$((5 * unit)) bytes, 1 parts: LUÍSA" pedir -n "$pipe" luÍsa
    expect 0 '100000 bytes sent, 100000 came back in 25 parts: in upper case; 0 wait' grande "$pipe" 100000
    expect 0 '* came back in 1 parts: in upper case; 0 wait' grande -z -b 200000 "$pipe" 100000
    served 0
    serve servidor -c 1 "$pipe"
    until_ready
    expect 9 '*WRONG; 0 wait' grande "$pipe" 100000
    served 0
}

many_clients() {
    local first
    serve servidor "$pipe"
    until_ready
    wine busy -w 1000 -h 60000 "$pipe" >"$said/first" &
    first=$!
    until_says open "$said/first"
    expect 7 '' busy "$pipe"
    expect 8 'gave up after [2-9]?? ms' busy -w 200 "$pipe"
    # The third finds it free within the server's own 5 s.
    { sleep 0.5 && kill "$first"; } &
    expect 0 $'free after * ms\nopen' busy -w 0 "$pipe"
    wait "$first" || true
    expect 0 'free after * ms'$'\n''open' busy -w 5000 "$pipe"
    expect 6 'gave up after * ms' busy -w 500 "$pipe-none"
    expect 0 '200 times: * connected and vanished, * found it busy, * found none' somem "$pipe"
    expect 0 '200 times: * connected and vanished, * found it busy, * found none' somem -r "$pipe"
    expect 0 $'open\nstill open after [1-9]??? ms, '"$((2 * 27 * unit)) bytes were never read" mudo -q 2 "$pipe" 1
    # The server still serves.
    expect 0 '*Default answer from server' pedir "$pipe" ainda
    kill "$server"
    wait "$server" || true
}

muted() {
    # The flush holds the writer until its reader has gone.
    serve escritor "$pipe" <<<$'um\nfim'
    expect 0 $'open\nstill open after [1-9]??? ms, '"$((5 * unit)) bytes were never read" mudo -r "$pipe" 1
    wait "$server" || true
}

for kind in ansi unicode; do
    unit=1
    [[ $kind == ansi ]] || unit=2
    pipe='\\.\pipe\arauto-prove-'$kind-$$
    readers
    requesters
    many_clients
    muted
done
((failures == 0)) || exit 1
echo 'every end was seen, in both builds'
