# Sourced by the tests that run inside of the Debian.
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
configuration=/etc/arauto/arauto.toml

# Checks that a command succeeds, and names the condition.
check() {
    local condition=$1
    shift
    "$@" || {
        echo "FAILED: $condition: $*"
        exit 1
    }
    echo "ok: $condition"
}

not() {
    ! "$@"
}

# Installs a package as an unattended upgrade does: a changed configuration file is kept.
install() {
    dpkg --force-confold -i "$1" </dev/null
}

# Lists every file but those that the system writes by itself. deb-systemd-helper leaves its folders
# where they are, and removes empty ones below /etc/systemd/system, so only what is in them counts.
files() {
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp \
        -o -path /test -o -path /var/log -o -path /var/cache -o -path /var/tmp \
        -o -path '/var/lib/systemd/*' -not -path '/var/lib/systemd/deb-systemd-helper*' \
        -o -path '/var/lib/dpkg/*-old' -o -path /var/lib/private \) -prune -o \
        -not \( -type d \( -path '/var/lib/systemd/*' -o -path '/etc/systemd/system/*' \) \) -print |
        sort
}

# Whether the files are those of /test/before. A chroot has no /dev/fd, so the lists are in files.
same_files() {
    files >/test/after
    diff /test/before /test/after
}

# Checks what the package brings for everybody.
check_files() {
    local problems
    check 'the program runs' arauto --version
    check 'the manual page is found' man -w arauto
    check "a command's manual page is found" man -w arauto-serve
    check 'bash completes the command' bash -c '. /usr/share/bash-completion/bash_completion
        __load_completion arauto; complete -p arauto'
    check 'the server accepts the configuration' \
        sh -c "arauto serve --print-config --config $configuration >/dev/null"
    problems=$(systemd-analyze verify --man=no arauto.service arauto.socket 2>&1 || true)
    problems=$(grep arauto <<<"$problems" || true)
    check 'systemd accepts the units' test -z "$problems"
    check 'the files are those of the package' dpkg --verify arauto
}
