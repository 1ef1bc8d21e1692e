#!/usr/bin/env bash
# clang-format (check only) over all C++ sources, clang-tidy over the product's, types of web/; needs
# build/lint/compile_commands.json. JOBS: how many files at a time.
# A file that passed is not looked at again until it, a header of ours or the checks change.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=${JOBS:-$(nproc)}
commands=build/lint/compile_commands.json
[ -f "$commands" ] || { echo "lint: $commands is missing: run make lint" >&2; exit 2; }
status=0

mapfile -t sources < <(git ls-files --cached --others --exclude-standard 'src/*.h' 'src/*.cc' 'tests/*.h' 'tests/*.cc')
if ! clang-format-19 --dry-run --Werror "${sources[@]}" 2>build/clang-format.log; then
  echo "clang-format: these files are not formatted (make format):"
  sed -nE 's/^([^:]+):[0-9]+:[0-9]+: error.*/  \1/p' build/clang-format.log | sort -u
  status=1
fi

passed=build/clang-tidy-passed
mkdir -p "$passed"
common=$(cat .clang-tidy $(git ls-files --cached --others --exclude-standard 'src/*.h') | sha256sum | cut -d' ' -f1)
export passed common
tidy_one() {
  local stamp
  stamp=$passed/$(cat "$1" <(echo "$1 $common") | sha256sum | cut -d' ' -f1)
  [ -e "$stamp" ] && return 0
  if clang-tidy-19 -p build/lint --quiet "$1" >"$stamp.log" 2>/dev/null; then
    rm -f "$stamp.log"
    touch "$stamp"
  else
    cat "$stamp.log"
    rm -f "$stamp.log"
    return 1
  fi
}
export -f tidy_one
printf '%s\n' "${sources[@]}" | grep -E '^src/.*\.cc$' | grep -vE '_test\.cc$' |
  xargs -P "$jobs" -I {} bash -c 'tidy_one "$1"' _ {} || status=1

# The dashboard: types (its packages are where setup.sh puts them).
ln -sfn ../.deps/web/node_modules web/node_modules
node .deps/web/node_modules/typescript/bin/tsc --project web || status=1

[ "$status" -eq 0 ] && echo "lint: clean"
exit "$status"
