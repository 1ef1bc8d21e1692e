#!/usr/bin/env bash
# setup.sh build|test|lint ...: installs what those need and is missing. Quiet unless it fails;
# safe to repeat, and quick when there is nothing to do: each step leaves a stamp that holds the pins
# it was made from. Downloads come from the Debian, npm, PyPI and Maven registries only.
set -euo pipefail
cd "$(dirname "$0")/.."
. ./versions.env

deps=$PWD/.deps
mkdir -p "$deps/stamps"
arch=$(dpkg --print-architecture 2>/dev/null || echo unknown)

die() { echo "setup: $*" >&2; exit 1; }

# run WHAT COMMAND...: the command's output is shown only when it fails.
run() {
  local what=$1 log=$deps/setup.log
  shift
  echo "setup: $what" >&2
  "$@" >"$log" 2>&1 </dev/null || { tail -n 40 "$log" >&2; die "failed: $what (whole output in $log)"; }
}

# fresh NAME PINS: true when step NAME was done with exactly these pins.
fresh() { [ "$(cat "$deps/stamps/$1" 2>/dev/null)" = "$2" ]; }
done_with() { printf '%s' "$2" >"$deps/stamps/$1"; }

packages() {
  local group missing=() package command
  for group in "$@"; do
    while read -r package command; do
      [ -n "$command" ] && command -v "$command" >/dev/null && continue
      dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done < <(awk -v g="$group" '$1 == g {print $2, $3}' scripts/packages.txt)
  done
  python3 -c 'import ensurepip, venv' 2>/dev/null || case " $* " in *" build "*) missing+=(python3-venv) ;; esac
  [ ${#missing[@]} -eq 0 ] && return
  command -v apt-get >/dev/null || die "these Debian 12 packages are missing: ${missing[*]}"
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "need root or sudo to run: apt-get install ${missing[*]}"
    root=(sudo)
  fi
  run "apt-get update" "${root[@]}" apt-get -qq update
  run "apt-get install ${missing[*]}" "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq install -y --no-install-recommends "${missing[@]}"
}

checksum() {  # FILE SHA256 (empty: not checked)
  [ -z "$2" ] || echo "$2  $1" | sha256sum --check --status || die "$1 is not the file that versions.env names (sha256 differs)"
}

duckdb() {
  local name=DUCKDB_NPM_$arch sum=DUCKDB_LIBRARY_SHA256_$arch
  local npm_package=${!name:-} library_sha=${!sum:-}
  [ -n "$npm_package" ] || die "no DuckDB library is known for the architecture '$arch'"
  local pins="$npm_package@$DUCKDB_NPM_VERSION $library_sha $DUCKDB_VERSION $DUCKDB_HEADER_SHA256"
  local to=$deps/duckdb
  fresh duckdb "$pins" && [ -f "$to/libduckdb.so" ] && [ -f "$to/duckdb.h" ] && return
  mkdir -p "$to"
  if ! echo "$library_sha  $to/libduckdb.so" | sha256sum --check --status 2>/dev/null; then
    packages duckdb
    local work
    work=$(mktemp -d "$deps/duckdb.XXXXXX")
    run "DuckDB library $DUCKDB_NPM_VERSION" npm pack --silent --pack-destination "$work" "$npm_package@$DUCKDB_NPM_VERSION"
    tar -xzf "$work"/*.tgz -C "$work" package/libduckdb.so
    checksum "$work/package/libduckdb.so" "$library_sha"
    mv "$work/package/libduckdb.so" "$to/"
    rm -rf "$work"
  fi
  if ! echo "$DUCKDB_HEADER_SHA256  $to/duckdb.h" | sha256sum --check --status 2>/dev/null; then
    local work
    work=$(mktemp -d "$deps/duckdb.XXXXXX")
    python3 -m venv "$work/venv"
    run "DuckDB header $DUCKDB_VERSION" "$work/venv/bin/pip" --disable-pip-version-check --quiet download \
      --no-deps --no-binary duckdb --dest "$work" "duckdb==$DUCKDB_VERSION"
    tar -xzf "$work"/*.tar.gz -C "$work" --strip-components=1 --wildcards '*/external/duckdb/src/include/duckdb.h'
    checksum "$work/external/duckdb/src/include/duckdb.h" "$DUCKDB_HEADER_SHA256"
    mv "$work/external/duckdb/src/include/duckdb.h" "$to/"
    rm -rf "$work"
  fi
  done_with duckdb "$pins"
}

npm_packages() {  # FOLDER A-PACKAGE-THAT-MUST-BE-THERE WHAT SOURCE-FOLDER
  local folder=$1 one=$2 what=$3 source=$4 pins
  pins=$(sha256sum <"$source/package-lock.json")
  fresh "$folder" "$pins" && [ -d "$deps/$folder/node_modules/$one" ] && return
  mkdir -p "$deps/$folder"
  cp "$source/package.json" "$source/package-lock.json" "$deps/$folder/"
  run "npm packages of $what" env -C "$deps/$folder" npm ci --ignore-scripts --no-audit --no-fund
  done_with "$folder" "$pins"
}

maven_jars() {  # FOLDER FIRST-LETTERS-OF-A-JAR-THAT-MUST-BE-THERE NAME VERSION WHAT POM
  local folder=$1 first=$2 name=$3 version=$4 what=$5 pom=$6
  local pins="$name $version"
  fresh "$folder" "$pins" && [ -n "$(ls "$deps/$folder/$first"*.jar 2>/dev/null)" ] && return
  rm -rf "${deps:?}/$folder"
  run "$what" mvn --batch-mode --quiet -f "scripts/$pom" \
    "-D$name.version=$version" "-DoutputDirectory=$deps/$folder" -DincludeScope=runtime \
    "org.apache.maven.plugins:maven-dependency-plugin:$MAVEN_DEPENDENCY_PLUGIN:copy-dependencies"
  done_with "$folder" "$pins"
}

judges() {
  local pins
  pins="$(echo $PYTHON_PACKAGES) $(python3 --version)"
  if ! fresh venv "$pins" || [ ! -x "$deps/venv/bin/python" ]; then
    rm -rf "$deps/venv"
    run "Python environment of the judges" python3 -m venv "$deps/venv"
    # shellcheck disable=SC2086  # a list of words
    run "Python packages of the judges" "$deps/venv/bin/pip" --disable-pip-version-check --quiet install \
      --no-deps $PYTHON_PACKAGES
    done_with venv "$pins"
  fi
  maven_jars jars "" delta "$DELTA_JARS_VERSION" "Delta jars for Spark" jars.pom.xml
  maven_jars kafka kafka_ kafka "$KAFKA_VERSION" "Kafka broker $KAFKA_VERSION" kafka.pom.xml
  maven_jars pgjdbc postgresql pgjdbc "$PGJDBC_VERSION" "JDBC driver of PostgreSQL $PGJDBC_VERSION" pgjdbc.pom.xml
  npm_packages node pg "the judges" tests/judges/node
}

[ $# -gt 0 ] || die "usage: scripts/setup.sh build|test|lint ..."
for need in "$@"; do
  case "$need" in
    build) packages build; duckdb; npm_packages web esbuild "the dashboard" web ;;
    test) packages test; judges ;;
    lint) packages lint ;;
    *) die "unknown part '$need'; there are: build, test, lint" ;;
  esac
done
