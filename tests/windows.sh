#!/usr/bin/env bash
# The Windows side on a Linux machine: built for x86_64-pc-windows-gnu, run under Wine.
#
#   tests/windows.sh                   builds, and runs the Windows tests under Wine
#   tests/windows.sh build             installs what is missing, builds arauto.exe for a release
#   tests/windows.sh test ARGS...      the Rust tests alone, with these arguments of cargo test
#   tests/windows.sh run ARGS...       arauto.exe under Wine, with these arguments
#   tests/windows.sh wine PROGRAM ...  another program in the same Wine
#   tests/windows.sh clean             ends that Wine and removes its folder
#
# For Debian 12 with Rust, and as root where packages are missing. Everything is kept under
# target/, but for the packages and what rustup and cargo keep of their own.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
target=x86_64-pc-windows-gnu
export CARGO_TARGET_DIR=$root/target
exe=$CARGO_TARGET_DIR/$target/release/arauto.exe
windows=$CARGO_TARGET_DIR/windows # what is not cargo's

# Wine: a place of its own, no word about what it lacks, and none of the parts that open
# windows or write menus into the home folder. The locale makes it take arguments as UTF-8;
# the ANSI code page is 1252 with it.
wine_folder=/usr/lib/wine
export WINEPREFIX=$windows/wine
export WINEDEBUG=${WINEDEBUG:--all}
export WINEDLLOVERRIDES='mscoree,mshtml,winemenubuilder.exe='
export LC_ALL=C.UTF-8
unset DISPLAY WAYLAND_DISPLAY

header() {
    printf '\n=== %d s: %s\n' "$SECONDS" "$*"
}

# Runs one step and says what it took.
step() {
    local start=$SECONDS name=$1
    shift
    header "$name"
    "$@"
    printf -- '--- %s took %d s\n' "$name" $((SECONDS - start))
}

have() {
    command -v "$1" >/dev/null
}

install() {
    ((EUID == 0)) || {
        echo "these packages are missing, and only root can install them: $*" >&2
        exit 1
    }
    apt-get update -qq
    # What apt says is of use only where it fails.
    local said
    said=$(DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" 2>&1) || {
        printf '%s\n' "$said" >&2
        exit 1
    }
}

system_packages() {
    local wanted=()
    have cc || wanted+=(gcc libc6-dev) # for build scripts
    have x86_64-w64-mingw32-gcc || wanted+=(gcc-mingw-w64-x86-64-win32)
    [[ -x $wine_folder/wine64 ]] || wanted+=(wine64)
    ((${#wanted[@]})) || return 0
    step "install ${wanted[*]}" install "${wanted[@]}"
}

# Which Rust builds for Windows? The toolchain of this machine where it has the target, or
# where rustup can fetch it soon. Otherwise Debian's, which has no target for Windows, but
# the source of its standard library, to build that as well.
choose_rust() {
    cargo=(cargo)
    build_std=()
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER="tests/windows.sh wine"
    if [[ ${ARAUTO_WINDOWS_RUST:-} != debian ]] && have rustc; then
        has_std && return
        if have rustup; then
            header "rustup target add $target"
            if timeout 60 rustup target add "$target" && has_std; then
                return
            fi
        fi
        echo "this machine's Rust has no $target, and none to add: Debian's builds it"
    fi
    if ! [[ -x /usr/bin/cargo && -d /usr/lib/rustlib/src/rust/library ]]; then
        step "install Debian's Rust and its source" install rustc-web cargo-web rust-web-src
    fi
    # By their full names, as rustup's may come first on the path.
    cargo=(/usr/bin/cargo)
    export RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc
    # Building the standard library is unstable; Debian's source is that of its compiler.
    export RUSTC_BOOTSTRAP=1
    build_std=('-Zbuild-std=std,panic_abort,test')
    unset RUSTUP_TOOLCHAIN
    # Old build scripts (indexmap 1) look for std in the compiler's own folder, where this
    # target has none, and take it that there is none at all.
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUSTFLAGS='--cfg has_std'
}

has_std() {
    compgen -G "$(rustc --print sysroot)/lib/rustlib/$target/lib/libstd-*.rlib" >/dev/null
}

# MinGW's gcc leaves an empty file behind for each program that it links: not in /tmp.
temporary_folder() {
    mkdir -p "$windows"
    TMPDIR=$(mktemp -d "$windows/tmp.XXXXXX")
    export TMPDIR
}

# In C and for Wine, out of a file of tests/win32.
shim() {
    mkdir -p "$windows"
    x86_64-w64-mingw32-gcc -O2 -std=c11 -Wall -Wextra -Werror -shared -s \
        -o "$windows/bcryptprimitives.dll" "$root/tests/win32/bcryptprimitives.c" -ladvapi32
}

# Newer Wines have this one.
wants_shim() {
    ! compgen -G '/usr/lib/x86_64-linux-gnu/wine/x86_64-windows/bcryptprimitives.dll' >/dev/null
}

build() {
    system_packages
    choose_rust
    temporary_folder
    step "cargo build --release for $target" \
        "${cargo[@]}" build --locked --release --target "$target" "${build_std[@]}"
    if wants_shim; then
        step "bcryptprimitives.dll, which this Wine lacks" shim
        cp "$windows/bcryptprimitives.dll" "${exe%/*}/"
    fi
    printf '\n%s\n' "$exe"
}

# The programs of tests/win32, each for ANSI and for UNICODE.
win32_programs() {
    local to=$windows/win32 source name
    local gcc=(x86_64-w64-mingw32-gcc -O2 -std=c11 -Wall -Wextra -Werror -s)
    mkdir -p "$to/ansi" "$to/unicode"
    for source in "$root"/tests/win32/*.c; do
        name=$(basename "$source" .c)
        case $name in bcryptprimitives | exit) continue ;; esac # for Wine, see below
        "${gcc[@]}" -o "$to/ansi/$name.exe" "$source"
        "${gcc[@]}" -municode -DUNICODE -D_UNICODE -o "$to/unicode/$name.exe" "$source"
    done
}

# The library that ends Wine's programs well, out of exit.c.
exit_well() {
    [[ $windows/exit.so -nt $root/tests/win32/exit.c ]] || {
        local made
        made=$(mktemp "$windows/exit.XXXXXX") # another one may build it at the same time
        cc -O2 -std=c11 -Wall -Wextra -Werror -shared -fPIC -s -o "$made" "$root/tests/win32/exit.c"
        mv "$made" "$windows/exit.so"
    }
}

# Becomes a program in Wine.
in_wine() {
    LD_PRELOAD=$windows/exit.so exec "$wine_folder/wine64" "$@"
}

# Wine's server and its services, on /dev/null: whoever starts them lends them its stdout,
# and a pipe on that would not end before they do. They stay for a minute after the last
# program, and then end by themselves.
wine_ready() {
    [[ -z ${ARAUTO_WINE_READY:-} ]] || return 0
    local made=$windows/wine.made
    mkdir -p "$WINEPREFIX"
    exit_well
    exec 9>"$windows/lock" # one at a time makes the folder
    flock 9
    if [[ -e $made ]]; then
        wine_services 60 cmd /c exit
    else
        wine_services 300 wineboot -i
        # Its user's folders would be links into the home folder.
        find "$WINEPREFIX/drive_c/users" -maxdepth 2 -type l -delete
        # Here for the programs that have none beside them, such as cargo's tests.
        if wants_shim; then
            [[ -e $windows/bcryptprimitives.dll ]] || shim
            cp "$windows/bcryptprimitives.dll" "$WINEPREFIX/drive_c/windows/system32/"
        fi
        : >"$made"
    fi
    exec 9>&-
}

# The lock is not lent to them, who would hold it for as long as they live.
wine_services() {
    "$wine_folder/wineserver64" -p60 </dev/null >/dev/null 2>&1 9>&- || true # runs already
    timeout "$1" "$wine_folder/wine64" "${@:2}" </dev/null >/dev/null 2>&1 9>&- || {
        echo "Wine does not start: WINEPREFIX=$WINEPREFIX wine64 ${*:2}" >&2
        exit 1
    }
}

wine_end() {
    # Where this Wine has its socket: a folder in /tmp, whose name it keeps.
    local socket=
    [[ ! -e $WINEPREFIX/wineserver ]] || socket=/tmp/$(tr -d '\0' <"$WINEPREFIX/wineserver")
    [[ ! -d $WINEPREFIX ]] || timeout 30 "$wine_folder/wineserver64" -k </dev/null >/dev/null 2>&1 || true
    case $socket in /tmp/wine-*) rm -rf "$socket" ;; esac
}

finish() {
    wine_end
    remove_temporary
}

remove_temporary() {
    case ${TMPDIR:-} in "$windows"/tmp.*) rm -rf "$TMPDIR" ;; esac
}

rust_tests() {
    # Asked for among the tests, they would be built as tests, and not as programs.
    "${cargo[@]}" build --quiet --locked --target "$target" "${build_std[@]}" --examples
    # What hangs is a failure, and not a night's work.
    timeout 1500 "${cargo[@]}" test --locked --target "$target" "${build_std[@]}" "$@"
}

need_wine() {
    [[ -x $wine_folder/wine64 ]] || {
        echo "wine64 is missing: tests/windows.sh build installs it" >&2
        exit 1
    }
}

everything() {
    trap finish EXIT
    trap 'exit 130' INT TERM
    system_packages
    choose_rust
    temporary_folder
    step 'the Win32 programs' win32_programs
    step 'a Wine of its own' wine_ready
    export ARAUTO_WINE_READY=1
    export ARAUTO_WIN32=$windows/win32 # where the Rust tests find the Win32 programs
    step 'the Win32 programs with one another' tests/win32/prove.sh
    step "cargo test for $target" rust_tests "${tests[@]}"
    printf '\n=== %d s in all: the Windows tests passed\n' "$SECONDS"
}

# Library, programs, tests/it and tests/examples; the model knows no system.
tests=(--lib --bins --test it --test examples)

case ${1:-all} in
all)
    cd "$root"
    exec </dev/null
    everything
    ;;
build)
    cd "$root"
    exec </dev/null
    trap remove_temporary EXIT
    build
    ;;
test)
    shift
    cd "$root"
    trap finish EXIT
    system_packages
    choose_rust
    temporary_folder
    [[ -d $windows/win32 ]] || win32_programs
    export ARAUTO_WIN32=$windows/win32
    wine_ready
    ARAUTO_WINE_READY=1 rust_tests "$@"
    ;;
run)
    shift
    need_wine
    [[ -e $exe ]] || {
        echo "$exe is not there: tests/windows.sh build makes it" >&2
        exit 1
    }
    wine_ready
    in_wine "$exe" "$@"
    ;;
wine)
    shift
    need_wine
    wine_ready
    in_wine "$@"
    ;;
clean)
    wine_end
    rm -rf "$windows"
    ;;
*)
    sed -n '2,/^set /{/^#/!d;s/^# \{0,1\}//p}' "$0" >&2
    exit 64
    ;;
esac
