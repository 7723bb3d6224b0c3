#!/bin/sh
# Collect everything that an installation without internet needs, on a machine that has internet,
# the same kind of processor, Linux and Python, and a checkout:
#
#     deploy/offline/collect.sh OUT.tar
#
# The hashes of requirements.lock are checked here, and once more where it is installed.
set -eu
[ $# -eq 1 ] || { echo "usage: $0 OUT.tar" >&2; exit 2; }
root=$(cd "$(dirname "$0")/../.." && pwd)
python=${PYTHON:-python3}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mkdir "$out/sscard" "$out/sscard/wheels"
"$python" -m pip download --quiet --require-hashes --only-binary=:all: \
    -r "$root/requirements.lock" -d "$out/sscard/wheels"
"$python" -m pip wheel --quiet --no-build-isolation --no-deps "$root" -w "$out/sscard/wheels"
cp "$root/requirements.lock" "$root/LICENSE" "$root/deploy/offline/install.sh" "$out/sscard/"
cp -R "$root/docs" "$root/deploy" "$out/sscard/"
(cd "$out/sscard" && find . -type f ! -name SHA256SUMS -exec sha256sum {} + | sort -k 2 > SHA256SUMS)
tar -C "$out" --sort=name --owner=0 --group=0 --numeric-owner -cf "$1" sscard
sha256sum "$1"
