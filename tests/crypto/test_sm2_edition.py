"""Each case of the SM2 edition of Wycheproof's categories, on each back end and by OpenSSL.

The verdicts in the files are the textbook's (sm2_edition/verdicts.py). Nothing is left out: a case
without an answer by each entry that takes it is a failure like a wrong answer.
"""

import ctypes
from collections import Counter
from pathlib import Path

import pytest
import sm2_textbook as textbook
from answer_sm2_edition import MESSAGE, Answers
from backends import EMULATED, each_back_end, run_on
from libcrypto_answers import DEVIATIONS, answers_of_libcrypto
from make_sm2_edition import FLAGS, made
from oracles import load_libcrypto
from sm2_edition import cases, der, verdicts
from sm2_edition.cases import (
    CALLERS_MISTAKE,
    INVALID,
    INVALID_KEY,
    VALID,
    Case,
    CiphertextCase,
    PrivateKeyCase,
)

EDITION = {name: cases.load(name) for name in cases.FILES}
# What the edition is for, in numbers of cases.
AT_LEAST = {"signatures_der": 500, "signatures_raw": 260, "private_keys": 20, "ciphertexts": 250}
REFUSED_AT_LEAST = {"signatures_der": 310, "signatures_raw": 200, "ciphertexts": 150}
EACH_FLAG_AT_LEAST = 5
SPREAD = 7


BACK_ENDS = [*each_back_end(emulated=False), pytest.param(EMULATED, marks=pytest.mark.long)]


@pytest.fixture(scope="module", params=BACK_ENDS)
def answers(request: pytest.FixtureRequest) -> dict[str, dict[int, Answers]]:
    written = run_on(request.param, "answer_sm2_edition.py")["answers"]
    return {
        name: {int(number): given for number, given in by_number.items()}
        for name, by_number in written.items()
    }


@pytest.fixture(scope="module")
def libcrypto() -> ctypes.CDLL:
    return load_libcrypto()


def right_answers(name: str, case: Case) -> Answers:
    """What must come from each entry that takes the case."""
    if isinstance(case, CiphertextCase):
        right = INVALID if case.plaintext is None else case.plaintext.hex()
        return dict.fromkeys(("raw", "DER") if case.form == "raw" else ("DER",), right)
    if isinstance(case, PrivateKeyCase):
        assert case.result == INVALID_KEY
        return {"key": INVALID_KEY}
    if case.result == INVALID_KEY:
        return {"key": INVALID_KEY, "lookup": INVALID_KEY}
    if name == "signatures_der":
        halves = der.read_signature(case.signature)
        if halves is None or not all(0 < half < textbook.N for half in halves):
            return {"reading": INVALID}
    entries = []
    if case.message is not None:
        entries += ["key, message", "kept key, message", "lookup"]
        entries += ["batch", "batch, kept key", "batch of one key"]
    if case.result != CALLERS_MISTAKE:
        entries += ["key, e", "kept key, e"]
    return dict.fromkeys(entries, case.result)


def wrong(
    name: str, numbered: dict[int, Case], answers: dict[int, Answers]
) -> dict[int, tuple[Case, Answers | None]]:
    """The cases whose answers are not the right ones, or not there."""
    return {
        number: (case, answers.get(number))
        for number, case in numbered.items()
        if answers.get(number) != right_answers(name, case)
    }


@pytest.mark.parametrize("name", ["signatures_der", "signatures_raw", "ciphertexts"])
def test_each_case_gets_its_verdict_by_each_entry(
    answers: dict[str, dict[int, Answers]], name: str
) -> None:
    assert wrong(name, EDITION[name], answers[name]) == {}


def test_each_private_key_is_refused_or_signs(answers: dict[str, dict[int, Answers]]) -> None:
    given, numbered = answers["private_keys"], EDITION["private_keys"]
    good = {number: case for number, case in numbered.items() if case.result == VALID}
    bad = {number: case for number, case in numbered.items() if case.result != VALID}
    assert wrong("private_keys", bad, given) == {}
    for number, case in good.items():
        assert isinstance(case, PrivateKeyCase)
        assert given[number]["public key"] == (case.public_key or b"").hex(), case.comment
        halves = verdicts.read_raw(bytes.fromhex(given[number]["signature"]))
        public = textbook.decode(case.public_key or b"")
        assert halves is not None
        assert public is not None
        e = int.from_bytes(textbook.digest_e(case.public_key or b"", MESSAGE), "big")
        assert textbook.verifies(public, e, *halves), case.comment


def test_openssl_gives_the_same_verdicts_but_where_it_is_known_to_differ(
    libcrypto: ctypes.CDLL,
) -> None:
    differing: Counter[str] = Counter()
    for name, numbered in EDITION.items():
        for number, case in numbered.items():
            given = answers_of_libcrypto(libcrypto, name, case)
            assert given, (name, number)
            if given != {case.result}:
                known = [known for known in DEVIATIONS if known.covers(name, case)]
                assert known, (name, number, case, given)
                differing[f"{name}, {case.flag}: {known[0].reason}"] += 1
    for reason, count in differing.items():
        print(f"OpenSSL differs in {count} of {reason}")


def test_the_edition_is_as_large_as_it_should_be() -> None:
    for name, numbered in EDITION.items():
        assert len(numbered) >= AT_LEAST[name]
        flags = Counter(case.flag for case in numbered.values())
        assert min(flags.values()) >= EACH_FLAG_AT_LEAST, (name, flags)
        assert set(flags) <= set(FLAGS[name])
    for name, least in REFUSED_AT_LEAST.items():
        refused = [case for case in EDITION[name].values() if case.result != VALID]
        if name == "ciphertexts":
            refused = [case for case in refused if case.flag != "Cut"]
        assert len(refused) >= least


def test_ciphertexts_are_cut_at_every_byte() -> None:
    cut: dict[str, set[int]] = {"raw": set(), "der": set()}
    for case in EDITION["ciphertexts"].values():
        assert isinstance(case, CiphertextCase)
        if case.flag == "Cut":
            cut[case.form].add(len(case.ciphertext))
    assert {form: sizes == set(range(len(sizes))) for form, sizes in cut.items()} == {
        "raw": True,
        "der": True,
    }
    assert len(cut["raw"]) == 97 + 16


def test_a_case_without_all_its_answers_is_noticed(
    answers: dict[str, dict[int, Answers]],
) -> None:
    name = "signatures_raw"
    numbered = EDITION[name]
    number = next(at for at, case in numbered.items() if case.flag == "Plain")
    for entry in answers[name][number]:
        rest = {key: value for key, value in answers[name][number].items() if key != entry}
        assert set(wrong(name, numbered, {**answers[name], number: rest})) == {number}
    left_out = {at: given for at, given in answers[name].items() if at != number}
    assert set(wrong(name, numbered, left_out)) == {number}


@pytest.mark.parametrize("name", cases.FILES)
def test_the_textbook_gives_the_verdicts_of_the_files(name: str) -> None:
    """A spread of them; the long run makes all of them again."""
    for number, case in EDITION[name].items():
        if number % SPREAD == 0:
            assert textbook_verdict(name, case) == case.result, (number, case)


def textbook_verdict(name: str, case: Case) -> str:
    if isinstance(case, CiphertextCase):
        return verdicts.of_ciphertext(case)[0]
    if isinstance(case, PrivateKeyCase):
        return verdicts.of_private_key(case)[0]
    return verdicts.of_signature(case, name.removeprefix("signatures_"))


@pytest.mark.long
def test_the_files_are_what_the_generator_makes() -> None:
    for name, made_cases in made().items():
        assert cases.as_text(name, made_cases, FLAGS[name]) == cases.path(name).read_text(), name


def test_a_file_cut_short_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines = cases.path("private_keys").read_text().splitlines()
    text = "\n".join([*lines[:-3], lines[-3].rstrip(","), lines[-1]])
    (tmp_path / "sm2_edition_private_keys.json").write_text(text)
    monkeypatch.setattr(cases, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match="does not hold"):
        cases.load("private_keys")
