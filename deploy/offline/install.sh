#!/bin/sh
# Install what collect.sh collected, on a machine with no network, as root or into a folder of one's own:
#
#     tar -xf sscard.tar && sscard/install.sh /opt/sscard
#
# Compare the archive's SHA-256 with the one that its maker told you by another way, before.
set -eu
[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
target=$1
python=${PYTHON:-python3}
(cd "$here" && sha256sum --quiet --check SHA256SUMS)
"$python" -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or later is needed")'
"$python" -m venv "$target/.venv"
"$target/.venv/bin/python" -m pip install --quiet --no-index --find-links "$here/wheels" \
    --require-hashes -r "$here/requirements.lock"
"$target/.venv/bin/python" -m pip install --quiet --no-index --no-deps "$here"/wheels/sscard-*.whl
cp -R "$here/docs" "$here/deploy" "$here/LICENSE" "$target/"
"$target/.venv/bin/sscard" --version
