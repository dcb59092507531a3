#!/usr/bin/env bash
# Says a few things to an arauto server in the text dialect, and prints what it answers.
#
#     ARAUTO_PASSWORD=... text.sh ENDPOINT USER
#
# ENDPOINT is unix:PATH, unix:@NAME, pipe:NAME or tcp:HOST:PORT, and its listener has
# dialect=text. Needs socat. Exit codes: 0 the server closed with ". fim"
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

case $endpoint in
    unix:@?*) address=ABSTRACT-CONNECT:$(quoted "${endpoint#unix:@}") ;;
    unix:?*) address=UNIX-CONNECT:$(quoted "${endpoint#unix:}") ;;
    tcp:?*:?*) address=TCP:${endpoint#tcp:} ;;
    pipe:?*)
        if [[ -n ${XDG_RUNTIME_DIR:-} ]]; then folder=$XDG_RUNTIME_DIR/arauto
        elif ((EUID == 0)); then folder=/run/arauto
        else folder=/tmp/arauto-$EUID; fi
        # Anybody can create a folder in /tmp, and wait in it for our password.
        [[ -O $folder && ! -L $folder ]] || die "$folder is not there, or not ours"
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
