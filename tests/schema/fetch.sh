#!/bin/sh
# Fetch the schemas of OGC and W3C that the tests validate against, once, into build/schemas (or $QGSERVER_SCHEMAS).
# They come from Maven Central by their coordinates, so whatever mirror Maven is set up for is used.
set -eu
target=${QGSERVER_SCHEMAS:-$(cd "$(dirname "$0")/../.." && pwd)/build/schemas}
[ -e "$target/complete" ] && exit 0
command -v mvn >/dev/null || { echo "fetch.sh: needs Maven (Debian package maven)" >&2; exit 1; }
mkdir -p "$target"
for artifact in org.jvnet.ogc:ogc-schemas:2.6.1 org.hisrc.w3c:w3c-schemas:1.4.0; do
    mvn -B -q org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
        "-Dartifact=$artifact" "-DoutputDirectory=$target" >"$target/mvn.log" 2>&1 \
        || { echo "fetch.sh: cannot fetch $artifact:" >&2; tail -3 "$target/mvn.log" >&2; exit 1; }
done
touch "$target/complete"
