"""A batch's whole way over the command line; bank and maker are programs that know docs/files.md
alone."""

import re
from collections import Counter
from pathlib import Path

import pytest
from maker_works import CODE, MakerWorks
from office import ROSTERS, Office, refused

from card_core.states import MakingState
from card_core.store import audit, batches, cards, holders, makings
from card_core.store.makings import Making
from issuance.installation import Installation
from tests.stranger import bank, card_maker

BATCH = "foshan"
CARDS_LEAST = 400


def issued(office: Office, roster: str) -> None:
    office.done("roster", "import", str(ROSTERS / roster), "--name", BATCH, operator="wang")
    office.done("batch", "approve", BATCH, "--yes", operator="li")
    office.done("batch", "issue", BATCH, operator="wang")


def all_makings(site: Installation) -> list[Making]:
    with site.store.read() as tx:
        batch = next(one for one in batches.page(tx) if one.name == BATCH)
        return makings.between(tx, batch.id, 1, batch.accepted)


def states(site: Installation) -> Counter[MakingState]:
    return Counter(one.state for one in all_makings(site))


def through_bank(office: Office, code: str, refused: dict[str, str]) -> int:
    """Its file out and its return in; how many accounts it was asked for."""
    out = office.folder / f"{code}.txt"
    office.done("batch", "bank-file", BATCH, "--bank", code, "--out", str(out), operator="wang")
    head, rows = bank.read_opening(out.read_bytes())
    assert head["partner"] == code
    back = office.file(f"{code}.back", bank.answer(head, rows, refused))
    said = office.done("batch", "bank-return", str(back), operator="wang")
    assert f"{len(rows) - len(refused)} accounts opened, {len(refused)} failed" in said
    again = office.done("batch", "bank-return", str(back), operator="wang")
    assert f"{len(rows)} known before" in again
    return len(rows)


def order(office: Office) -> None:
    office.done("batch", "order", BATCH, "--maker", CODE, "--with", "li", "--yes", operator="wang")


def file_of(office: Office, name: str) -> Path:
    out = office.folder / name
    office.done("batch", "maker-file", BATCH, "--out", str(out), operator="wang")
    return out


def answered(
    office: Office,
    found: list[card_maker.Card],
    path: Path,
    failed: dict[int, str],
    first_serial: int = 0,
) -> Path:
    """The maker's return for a file; the batch that it names is the one in the file's header."""
    content = card_maker.answer(
        found, batch=order_id_of(path), issuer=7, failed=failed, first_serial=first_serial
    )
    return office.file(f"{path.name}.back", content)


@pytest.mark.parametrize(
    "roster", ["foshan-600.xlsx", pytest.param("foshan-2000.csv", marks=pytest.mark.long)]
)
def test_a_roster_goes_the_whole_way_to_cards_in_hand(
    office: Office, site: Installation, roster: str
) -> None:
    works = MakerWorks(office)
    works.register()
    issued(office, roster)
    found = all_makings(site)
    count = len(found)
    assert count > CARDS_LEAST
    # one bank declines its first two people
    refusing = Counter(one.bank for one in found).most_common(1)[0][0]
    first, second, *_ = [str(one.position) for one in found if one.bank == refusing]
    no_to = {first: "01", second: "08"}
    banks = sorted({one.bank for one in found})
    asked = [through_bank(office, code, no_to if code == refusing else {}) for code in banks]
    assert sum(asked) == count
    assert states(site) == {MakingState.AWAITING_MAKER: count - 2, MakingState.ACCOUNT_FAILED: 2}

    made = the_maker_fails_three(office, site, works)
    done = office.done("batch", "rework", BATCH, operator="wang")
    assert "2 cards wait for the bank again, 3 for a maker" in done
    assert through_bank(office, refusing, {}) == 2
    path = all_five_once_more(office, works, made)
    assert states(site) == {MakingState.MADE: count}

    to_a_branch_and_into_hands(office, site)
    shown = office.done("batch", "making", BATCH, operator="wang")
    assert re.search(r"answered\s+5\s+5\s+0", shown)
    with site.store.read() as tx:
        for chain in audit.CHAINS:
            audit.verify_chain(tx, chain)
        audit.verify_rows(tx)
    refused(
        office.run("batch", "maker-file", BATCH, "--out", str(path), operator="wang"),
        "制卡数据已按规定清除",
        "its records are deleted",
    )


def the_maker_fails_three(
    office: Office, site: Installation, works: MakerWorks
) -> list[card_maker.Card]:
    order(office)
    path = file_of(office, "first.ssc")
    made = works.read(path)
    works.check_keys(made)
    assert [card.number for card in made] == list(range(1, len(made) + 1))
    check_elements(site, made)
    back = answered(office, made, path, {1: "01", 7: "08", len(made): "99"})
    said = office.done("batch", "maker-return", str(back), operator="wang")
    assert f"{len(made) - 3} cards made, 3 failed" in said
    known = office.done("batch", "maker-return", str(back), operator="wang")
    assert f"0 cards made, 0 failed, {len(made)} known before" in known
    return made


def all_five_once_more(office: Office, works: MakerWorks, made: list[card_maker.Card]) -> Path:
    order(office)
    path = file_of(office, "second.ssc")
    again = works.read(path)
    works.check_keys(again)
    before = {card.elements["card_number"] for card in made}
    same = before & {card.elements["card_number"] for card in again}
    assert (len(again), len(same)) == (5, 3)
    # Chips have numbers of their own, whatever the file.
    back = answered(office, again, path, {}, first_serial=len(made))
    office.done("batch", "maker-return", str(back), operator="wang")
    return path


def to_a_branch_and_into_hands(office: Office, site: Installation) -> None:
    found = all_makings(site)
    branch, sent = Counter(one.branch for one in found).most_common(1)[0]
    said = office.done("batch", "dispatch", BATCH, "--branch", branch, operator="wang")
    assert f"{sent} cards sent to {branch}" in said
    here = [one for one in all_makings(site) if one.branch == branch]
    assert {one.state for one in here} == {MakingState.AT_BRANCH}
    holder_collects, employer_collects = numbers_of(site, here[:2])
    office.done("card", "activate", holder_collects, operator="wang")
    office.done("card", "hand-over", employer_collects, "--to-employer", operator="wang")
    assert states(site) == {
        MakingState.MADE: len(found) - sent,
        MakingState.AT_BRANCH: sent - 2,
        MakingState.HANDED_OVER: 1,
        MakingState.HANDED_TO_EMPLOYER: 1,
    }


def order_id_of(path: Path) -> str:
    found = re.search(rb"[0-9a-f]{32}", path.read_bytes()[:120])
    assert found
    return found[0].decode()


def numbers_of(site: Installation, found: list[Making]) -> list[str]:
    with site.store.read() as tx:
        made = cards.get_all(tx, [one.card_id for one in found])
    return [made[one.card_id].card_number for one in found]


def check_elements(site: Installation, made: list[card_maker.Card]) -> None:
    """What is on each chip is what is known of its holder."""
    with site.store.read() as tx:
        for card in made:
            stored = cards.find_by_card_number(tx, card.elements["card_number"])
            assert stored
            holder = holders.get(tx, stored.holder_id)
            assert holder
            assert card.region == stored.region == holder.region
            assert card.elements == {
                "card_class": "3",
                "spec_version": "3.00",
                "organisation": f"9156000002{card.region}{card.region}01",
                "issued_on": f"{stored.issued_on:%Y%m%d}",
                "expires_on": f"{stored.expires_on:%Y%m%d}",
                "card_number": stored.card_number,
                "social_security_number": holder.social_security_number,
                "name": holder.name,
                "sex": holder.sex,
                "ethnic_group": holder.ethnic_group,
                "birthplace": "",
                "born_on": f"{holder.birth_on:%Y%m%d}",
            }
