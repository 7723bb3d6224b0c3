"""Writes tests/vectors/codes.json, the example codes of docs/code-format.md.

    python tests/card_core/codes/make_vectors.py

Keys, times and fields are always the same; signatures are random, so that a new run gives other
texts with the same answers. The file is committed. test_code_vectors.py checks each of its cases
with the core, and that this script still makes the same cases; tests/stranger checks each with
another verifier on another SM2 library.
"""

import json
from pathlib import Path
from typing import Any

import good_vectors
import malformed_vectors
import refused_vectors
import signature_vectors
from raw_codes import BOX, BOX_KEY, ECARD_ID, NONCE, RING, key_name, private_key
from vector_case import Case

from card_core import business_types

FILE = Path(__file__).parents[2] / "vectors" / "codes.json"


def cases() -> list[Case]:
    return [
        *good_vectors.cases(),
        *malformed_vectors.cases(),
        *signature_vectors.cases(),
        *refused_vectors.cases(),
    ]


def ring_json() -> list[dict[str, Any]]:
    ring = []
    for purpose, issuer, number, state in RING:
        key = private_key(key_name(purpose, issuer, number))
        ring.append(
            {
                "purpose": purpose,
                "issuer": issuer,
                "number": number,
                "state": state,
                "public_key": key.public_key().to_bytes().hex(),
                "private_key": key.to_bytes().hex(),
            }
        )
    return ring


def business_types_json() -> dict[str, Any]:
    return {
        row.code: {"purpose": row.purpose.value, "consumes": row.consumes}
        for row in business_types.ALL
    }


def document() -> dict[str, Any]:
    return {
        "format": "docs/code-format.md, version 1",
        "made_by": "tests/card_core/codes/make_vectors.py",
        "note": "Test keys that everybody knows: trust them nowhere.",
        "keys": ring_json(),
        "business_types": business_types_json(),
        "box": {
            "box_key": BOX_KEY.hex(),
            "ecard_id": f"{ECARD_ID:016x}",
            "nonce": NONCE.hex(),
            "box": BOX.hex(),
        },
        "cases": [case.to_json() for case in cases()],
    }


def main() -> None:
    FILE.write_text(json.dumps(document(), ensure_ascii=True, indent=1) + "\n", "ascii")


if __name__ == "__main__":
    main()
