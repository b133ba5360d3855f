# shellcheck shell=bash
# What the scripts share: where the project is, how to say things, how to build. Sourced, not run.

set -euo pipefail
THIS_SCRIPT=$(realpath "$0")
TARN_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$TARN_ROOT"

# The comment at the top of a script is its help: one text, in one place.
show_help() {
    sed -n '2,/^[^#]/ { /^#/ { s/^# \{0,1\}//; p } }' "$THIS_SCRIPT"
}

say() {
    printf '%s\n' "$*" >&2
}

# Wrong usage: one line, exit code 2.
usage_error() {
    say "${0##*/}: $*; see ${0##*/} --help"
    exit 2
}

jobs_to_use() {
    printf '%s' "${TARN_JOBS:-$(nproc)}"
}

# configure PRESET: quiet unless it fails. CMake's own cache makes a second time cheap.
configure() {
    local preset=$1 log
    log=$(mktemp)
    if ! cmake --preset "$preset" >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        say "configuring the preset '$preset' failed; the lines above say where"
        return 1
    fi
    rm -f "$log"
}

# build_preset PRESET [TARGET...]
build_preset() {
    local preset=$1
    shift
    # What one clone has compiled serves another: paths are kept relative to the clone.
    export CCACHE_BASEDIR=$TARN_ROOT CCACHE_NOHASHDIR=true
    configure "$preset"
    cmake --build --preset "$preset" --parallel "$(jobs_to_use)" ${1:+--target "$@"}
}

# cpp_files FOLDER...: our C++ files in those of the folders that exist, separated by null bytes.
cpp_files() {
    local folder
    for folder in "$@"; do
        if [[ -d $folder ]]; then
            find "$folder" -type f \( -name '*.h' -o -name '*.inl' -o -name '*.cpp' \) -print0
        fi
    done | sort -z
}
