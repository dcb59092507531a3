#!/usr/bin/env bash
# Says a few things to an arauto server in the text dialect, and prints what it answers.
#
#     ARAUTO_PASSWORD=... text.sh ENDPOINT USER
#
# ENDPOINT is unix:PATH, pipe:NAME or tcp:HOST:PORT, and its listener has dialect=text. The
# socket must be our own, root's, or that of ARAUTO_SERVER_USER. Needs socat. Exit codes: 0 the server closed with ". fim"
# and said no error, 1 anything else.
set -euo pipefail

die() {
    printf 'text.sh: %s\n' "$1" >&2
    exit 1
}

[[ $# == 2 && -n ${ARAUTO_PASSWORD:-} ]] || die 'usage: ARAUTO_PASSWORD=... text.sh ENDPOINT USER'
[[ $2 != *[[:space:]]* && $ARAUTO_PASSWORD != *$'\n'* ]] ||
    die 'the user must be one word, and the password one line'
endpoint=$1 user=$2

# In a socat address these characters mean something.
quoted() {
    printf '%s\n' "$1" | sed 's/[][\\:,!"'\''(){}]/\\&/g'
}

# Whoever holds the server's name would get our password.
check_owner() {
    local owner trusted
    owner=$(stat -c %u "$1") || die "no socket at $1"
    for trusted in "$EUID" 0 ${ARAUTO_SERVER_USER:+"$(id -u "$ARAUTO_SERVER_USER")"}; do
        [[ $owner != "$trusted" ]] || return 0
    done
    die "$1 belongs to uid $owner: if that is the server's user, set ARAUTO_SERVER_USER=$owner"
}

case $endpoint in
    # socat does not tell whose process listens: anybody may wait at an abstract name.
    unix:@?*) die "$endpoint: nothing tells this script whose it is; use a path" ;;
    unix:?*)
        check_owner "${endpoint#unix:}"
        address=UNIX-CONNECT:$(quoted "${endpoint#unix:}")
        ;;
    tcp:?*:?*) address=TCP:${endpoint#tcp:} ;;
    pipe:?*)
        if [[ -n ${XDG_RUNTIME_DIR:-} ]]; then folder=$XDG_RUNTIME_DIR/arauto
        elif ((EUID == 0)); then folder=/run/arauto
        else folder=/tmp/arauto-$EUID; fi
        # Anybody can create a folder in /tmp, and wait in it for our password.
        [[ -O $folder && ! -L $folder && $(stat -c %A "$folder") == d????-??-? ]] ||
            die "$folder is not there, or others may write to it"
        address=UNIX-CONNECT:$(quoted "$folder/${endpoint#pipe:}.sock")
        ;;
    *) die "$endpoint is not an endpoint that this script knows" ;;
esac

# All at once: the server answers in the order of the lines. printf is a builtin of bash,
# so that no list of processes ever shows the password.
conversation() {
    printf '/login %s %s\n' "$user" "$ARAUTO_PASSWORD"
    printf 'bom dia\n'
    printf '/who\n'
    printf '/publish saudações de um shell script\n'
    printf 'fim\n'
}

# We have said everything long before the server has: -t is how long socat may then still
# listen. It is no delay, for the server hangs up after its last line.
last='' errors=0
while IFS= read -r line; do
    printf '%s\n' "$line"
    [[ $line != '- '* ]] || errors=1
    last=$line
done < <(conversation | socat -t 30 - "$address")
[[ -n $last ]] || die "no line from $endpoint; does a server listen there, with dialect=text?"
[[ $last == '. fim' ]] || die 'the pipe ended before ". fim"; something failed'
exit $errors
