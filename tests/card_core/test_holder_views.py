"""What an accepted scan shows: the shipped table, the configuration over it, and the masks."""

import itertools
from datetime import date

import pytest

from card_core import business_types, holder_views
from card_core.business_types import HolderView, Purpose, UnknownBusinessTypeError
from card_core.holder_views import ROWS, HolderFacts, HolderViews, Show, age_band

TODAY = date(2026, 3, 2)
FACTS = HolderFacts(
    name="王小明",
    social_security_number="990101199001011237",
    card_number="GD1234567",
    sign_number="44060020260302000000000017",
    phone="13912345678",
    sex="male",
    birth_on=date(1990, 1, 1),
)
CODES = [one.code for one in business_types.ALL]
FULL_NUMBER = {
    code for code in CODES if ROWS[code].fields.get("social_security_number") is Show.FULL
}


def test_every_business_type_has_a_row_that_fits_its_word() -> None:
    assert set(ROWS) == set(CODES)
    for code in CODES:
        row, fields = ROWS[code], ROWS[code].fields
        assert row.view is business_types.get(code).view
        assert set(fields) <= set(holder_views.FIELDS)
        if row.view is HolderView.YES_NO:
            assert not set(fields) - {"age_band"}


def test_the_number_is_full_where_a_visit_opens_or_money_moves() -> None:
    for code in ("01101", "01102", "01103", "01104", "01301", "02121", "03132"):
        assert code in FULL_NUMBER
    for code in ("01201", "01302", "01303", "02122", "92101", "96201"):
        assert ROWS[code].fields["social_security_number"] is Show.MASKED


def test_the_sign_number_leaves_for_settlement_alone() -> None:
    settling = {one.code for one in business_types.ALL if one.purpose is Purpose.SETTLE}
    with_sign_number = {code for code in CODES if "sign_number" in ROWS[code].fields}
    assert settling <= with_sign_number
    assert all(business_types.get(code).consumes for code in with_sign_number)


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        (
            "01101",
            {
                "view": "full",
                "name": "王小明",
                "social_security_number": "990101199001011237",
                "sex": "male",
            },
        ),
        (
            "01301",
            {
                "view": "full",
                "name": "王小明",
                "social_security_number": "990101199001011237",
                "card_number": "GD1234567",
                "sign_number": "44060020260302000000000017",
            },
        ),
        (
            "01303",
            {
                "view": "masked",
                "name": "**明",
                "social_security_number": "990***********1237",
            },
        ),
        (
            "01203",
            {
                "view": "masked",
                "name": "**明",
                "social_security_number": "990***********1237",
                "sex": "male",
                "age_band": "18_to_59",
            },
        ),
        (
            "92101",
            {
                "view": "masked",
                "name": "**明",
                "social_security_number": "990***********1237",
                "card_number": "GD****567",
            },
        ),
        ("93101", {"view": "yes_no", "entitled": True}),
        ("96101", {"view": "yes_no", "entitled": True, "age_band": "18_to_59"}),
    ],
)
def test_a_view_shows_its_fields_and_no_others(code: str, shown: dict[str, object]) -> None:
    assert HolderViews().render(code, FACTS, TODAY) == shown


def test_no_view_shows_more_than_its_row_says() -> None:
    secrets = {field: str(getattr(FACTS, field)) for field in FACTS._fields if field != "sex"}
    for code in CODES:
        text = repr(HolderViews().render(code, FACTS, TODAY))
        full = {field for field, show in ROWS[code].fields.items() if show is Show.FULL}
        for field, value in secrets.items():
            assert (value in text) == (field in full), (code, field)


def test_the_configuration_masks_the_number_and_nothing_else() -> None:
    for allowed in ([], ["01301"], ["01301", "02121"], None):
        views = HolderViews(allowed)
        for code in CODES:
            shown, by_table = (
                views.render(code, FACTS, TODAY),
                HolderViews().render(code, FACTS, TODAY),
            )
            number = shown.pop("social_security_number", None)
            by_table.pop("social_security_number", None)
            assert shown == by_table
            may = allowed is None or code in allowed
            assert (number == FACTS.social_security_number) == (code in FULL_NUMBER and may)


def test_a_configuration_can_not_give_the_number_to_what_does_not_need_it() -> None:
    views = HolderViews(CODES)
    assert views.row("01303").fields["social_security_number"] is Show.MASKED
    assert "social_security_number" not in views.row("93101").fields
    with pytest.raises(UnknownBusinessTypeError):
        HolderViews(["01199"])


def test_needs_names_what_is_read_and_nothing_else() -> None:
    views = HolderViews()
    blank = HolderFacts()
    for code in CODES:
        needed = views.needs(code)
        only_needed = HolderFacts(**{field: getattr(FACTS, field) for field in needed})
        shown = views.render(code, FACTS, TODAY)
        assert views.render(code, only_needed, TODAY) == shown
        empty = views.render(code, blank, TODAY)
        assert list(empty) == list(shown)
        assert {value for field, value in empty.items() if field in ROWS[code].fields} <= {None}


@pytest.mark.parametrize(
    ("birth_on", "band"),
    [
        (date(2008, 3, 3), "under_18"),
        (date(2008, 3, 2), "18_to_59"),
        (date(1966, 3, 3), "18_to_59"),
        (date(1966, 3, 2), "60_and_over"),
    ],
)
def test_age_bands_change_on_the_birthday(birth_on: date, band: str) -> None:
    assert age_band(birth_on, TODAY) == band


def test_masks_hide_the_middle_of_a_card_number_and_all_of_a_short_one() -> None:
    for number, shown in itertools.zip_longest(["GD1234567", "GD12"], ["GD****567", "****"]):
        facts = FACTS._replace(card_number=number)
        assert HolderViews().render("92101", facts, TODAY)["card_number"] == shown
