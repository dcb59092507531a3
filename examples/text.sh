#!/usr/bin/env bash
# Sends a few lines to an arauto server in the text dialect, and prints the answers.
#
#     ARAUTO_PASSWORD=... text.sh ENDPOINT USER
#
# ENDPOINT is unix:PATH, pipe:NAME or tcp:HOST:PORT, and its listener has dialect=text. The
# socket must belong to this user, to root, or to ARAUTO_SERVER_USER. Needs socat. Exit codes: 0 if
# the server sent no error and closed with ". fim", 1 otherwise.
set -euo pipefail

die() {
    printf 'text.sh: %s\n' "$1" >&2
    exit 1
}

[[ $# == 2 && -n ${ARAUTO_PASSWORD:-} ]] || die 'usage: ARAUTO_PASSWORD=... text.sh ENDPOINT USER'
[[ $2 != *[[:space:]]* && $ARAUTO_PASSWORD != *$'\n'* ]] ||
    die 'the user must be one word, and the password one line'
endpoint=$1 user=$2

# Escapes the characters that are special in a socat address.
quoted() {
    printf '%s\n' "$1" | sed 's/[][\\:,!"'\''(){}]/\\&/g'
}

# Checks that the server's socket belongs to a trusted user, before the password is sent to it.
check_owner() {
    local owner trusted
    owner=$(stat -c %u "$1") || die "no socket at $1"
    for trusted in "$EUID" 0 ${ARAUTO_SERVER_USER:+"$(id -u "$ARAUTO_SERVER_USER")"}; do
        [[ $owner != "$trusted" ]] || return 0
    done
    die "$1 belongs to uid $owner: if that is the server's user, set ARAUTO_SERVER_USER=$owner"
}

case $endpoint in
    # Any user may listen at an abstract name, and socat does not show the server's user.
    unix:@?*) die "$endpoint: this script cannot check the owner of an abstract socket; use a path" ;;
    unix:?*)
        check_owner "${endpoint#unix:}"
        address=UNIX-CONNECT:$(quoted "${endpoint#unix:}")
        ;;
    tcp:?*:?*) address=TCP:${endpoint#tcp:} ;;
    pipe:?*)
        if [[ -n ${XDG_RUNTIME_DIR:-} ]]; then folder=$XDG_RUNTIME_DIR/arauto
        elif ((EUID == 0)); then folder=/run/arauto
        else folder=/tmp/arauto-$EUID; fi
        # In /tmp another user could have created this folder to get the password.
        [[ -O $folder && ! -L $folder && $(stat -c %A "$folder") == d????-??-? ]] ||
            die "$folder does not exist, or other users may write to it"
        address=UNIX-CONNECT:$(quoted "$folder/${endpoint#pipe:}.sock")
        ;;
    *) die "$endpoint is not an endpoint that this script supports" ;;
esac

# All lines are sent at once; the server answers in the same order. printf is a builtin of bash,
# so the password never shows in a list of processes.
conversation() {
    printf '/login %s %s\n' "$user" "$ARAUTO_PASSWORD"
    printf 'bom dia\n'
    printf '/who\n'
    printf '/publish saudações de um shell script\n'
    printf 'fim\n'
}

# -t is how long socat waits for answers after the last line is sent. It causes no delay, because
# the server closes the connection after its last line.
last='' errors=0
while IFS= read -r line; do
    printf '%s\n' "$line"
    [[ $line != '- '* ]] || errors=1
    last=$line
done < <(conversation | socat -t 30 - "$address")
[[ -n $last ]] || die "no line from $endpoint; does a server listen there, with dialect=text?"
[[ $last == '. fim' ]] || die 'the connection ended before ". fim"'
exit $errors
