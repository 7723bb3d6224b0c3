"""Writes tests/vectors/sm2_edition_*.json, the SM2 edition of Wycheproof's categories.

    python tests/crypto/make_sm2_edition.py

The files are committed; the seed is fixed, so a new run writes the same bytes. Each case must get
from the textbook the verdict that it was made for; one that does not stops the run.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from sm2_edition import (
    arithmetic,
    cases,
    ciphertexts,
    digests,
    encodings,
    messages,
    mutations,
    points,
    private_keys,
    ranges,
    sums,
    verdicts,
)
from sm2_edition.cases import Case, CiphertextCase, PrivateKeyCase, SignatureCase

FAMILIES = (messages, digests, ranges, sums, arithmetic, points)
SIGNATURE_FLAGS = {flag: text for family in FAMILIES for flag, text in family.FLAGS.items()}
FLAGS = {
    "signatures_der": SIGNATURE_FLAGS | mutations.FLAGS,
    "signatures_raw": SIGNATURE_FLAGS | encodings.RAW_FLAGS,
    "private_keys": private_keys.FLAGS,
    "ciphertexts": ciphertexts.FLAGS | mutations.FLAGS,
}


class WrongVerdictError(Exception):
    """The textbook answers otherwise than the case was made for."""


def made() -> dict[str, list[Case]]:
    """All cases of each file, with verdicts that the textbook confirmed."""
    claims = list(chain.from_iterable(family.claims() for family in FAMILIES))
    in_der = [claim.in_der() for claim in claims]
    in_raw = [case for claim in claims if (case := claim.in_raw())]
    return {
        "signatures_der": _once(_signatures([*in_der, *encodings.in_der()], "der")),
        "signatures_raw": _once(_signatures([*in_raw, *encodings.in_raw()], "raw")),
        "private_keys": _once(_private_keys(private_keys.cases())),
        "ciphertexts": _once(_ciphertexts(ciphertexts.cases())),
    }


def _once(made_cases: Iterable[Case]) -> list[Case]:
    """Without the cases whose bytes another one has already; ways to spoil DER meet here."""
    seen: dict[str, Case] = {}
    for case in made_cases:
        seen.setdefault(repr(replace(case, flag="", comment="", made={})), case)
    return list(seen.values())


def _signatures(made_cases: Iterable[SignatureCase], kind: str) -> Iterator[Case]:
    for case in made_cases:
        _confirm(case, verdicts.of_signature(case, kind))
        yield case


def _private_keys(made_cases: Iterable[PrivateKeyCase]) -> Iterator[Case]:
    for case in made_cases:
        verdict, public_key = verdicts.of_private_key(case)
        _confirm(case, verdict)
        yield replace(case, public_key=public_key)


def _ciphertexts(made_cases: Iterable[CiphertextCase]) -> Iterator[Case]:
    for case in made_cases:
        verdict, plaintext = verdicts.of_ciphertext(case)
        _confirm(case, verdict)
        if plaintext != case.plaintext:
            raise WrongVerdictError(case.comment)
        yield case


def _confirm(case: Case, verdict: str) -> None:
    if verdict != case.result:
        raise WrongVerdictError(f"{case.flag}: {case.comment}: {verdict}")


def main() -> None:
    for name, made_cases in made().items():
        text = cases.as_text(name, made_cases, FLAGS[name])
        cases.path(name).write_text(text)
        print(f"{cases.path(name).name}: {len(made_cases)} cases, {len(text)} bytes")


if __name__ == "__main__":
    main()
