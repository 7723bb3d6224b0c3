"""The bill of materials (SBOM) of what runs, in CycloneDX 1.6, from the two lock files.

    python -m issuance.cli.sbom > sbom.cdx.json

The same lock files give the same bytes: no time, and a serial number that is made of the content.
"""

import json
import re
import sys
import tomllib
import uuid
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SPEC_VERSION = "1.6"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)(?: *; *([^\\]+?))? *\\?$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # of URLs, RFC 9562


def bill(python_lock: str, rust_lock: str, version: str) -> dict[str, Any]:
    """The document. python_lock: as uv writes it, with hashes; rust_lock: Cargo.lock."""
    components = [*_python(python_lock), *_rust(rust_lock)]
    components.sort(key=lambda one: str(one["bom-ref"]))
    root = {
        "type": "application",
        "bom-ref": f"pkg:generic/sscard@{version}",
        "name": "sscard",
        "version": version,
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    content = {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "version": 1,
        "metadata": {"component": root},
        "components": components,
        "dependencies": [
            {"ref": root["bom-ref"], "dependsOn": [one["bom-ref"] for one in components]}
        ],
    }
    serial = uuid.uuid5(_NAMESPACE, json.dumps(content, sort_keys=True))
    return {"serialNumber": f"urn:uuid:{serial}", **content}


def _python(lock: str) -> list[dict[str, Any]]:
    """One component a pinned package, with the digests of all files that may be installed."""
    found: list[dict[str, Any]] = []
    for line in lock.splitlines():
        if pinned := _PINNED.match(line.strip()):
            name, version, marker = pinned.groups()
            component = _component("pypi", name.lower(), version)
            component["hashes"] = []
            component |= _licence(name)
            if marker:
                component["properties"] = [{"name": "sscard:marker", "value": marker.strip()}]
            found.append(component)
        if found:
            digests = [{"alg": "SHA-256", "content": one} for one in _HASH.findall(line)]
            found[-1]["hashes"] += digests
    return found


def _rust(lock: str) -> list[dict[str, Any]]:
    """One component a crate from outside; the project's own have no source."""
    return [
        _component("cargo", one["name"], one["version"])
        | {"hashes": [{"alg": "SHA-256", "content": one["checksum"]}]}
        for one in tomllib.loads(lock)["package"]
        if "source" in one
    ]


def _component(kind: str, name: str, version: str) -> dict[str, Any]:
    purl = f"pkg:{kind}/{name}@{version}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def _licence(name: str) -> dict[str, Any]:
    """As the installed package states it; nothing for one that states no expression."""
    try:
        stated = metadata.metadata(name).json.get("license_expression")
    except metadata.PackageNotFoundError:
        return {}
    return {"licenses": [{"expression": stated}]} if stated else {}


def main() -> None:
    document = bill(
        (ROOT / "requirements.lock").read_text(),
        (ROOT / "Cargo.lock").read_text(),
        metadata.version("sscard"),
    )
    sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
