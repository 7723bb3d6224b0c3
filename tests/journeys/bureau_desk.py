"""The desk of a bureau on a loopback port, and operators before it in browsers of their own."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bureau import PEPPER, Bureau
from playwright.sync_api import Browser
from second_factors import GIVEN, NEW_PASSWORD, SECRET, digits, enrol
from stage import Screen, listening, served, url_of

from card_core.kernel import Actor, ActorKind
from card_core.kernel.acts.operators import AddOperator, NewOperator
from card_core.kernel.second_factor import STEP_SECONDS
from card_core.sign_in import Profile, by_digits
from card_core.store import operators
from card_core.store.operator_factors import Factor, FactorKind
from card_core.store.operators import Role
from issuance.console.app import LARGER_BODIES, create_console
from scan_api.limits import RequestLimits
from scan_api.pages.site import Site
from scan_api.security_headers import SecurityHeaders

WIDE = {"width": 1280, "height": 860}


@dataclass
class BureauDesk:
    """Who is hired signs in by a dynamic password, which a browser can give (profile standard).

    screens: every one that was opened; none may have complained.
    """

    bureau: Bureau
    url: str
    browser: Browser
    screens: list[Screen] = field(default_factory=list)
    actors: dict[str, Actor] = field(default_factory=dict)

    def hire(self, name: str, display_name: str, *roles: Role) -> None:
        """An operator who has a password and a dynamic password of their own, in `actors`."""
        bureau = self.bureau
        new = NewOperator(name, display_name, frozenset(roles), bureau.hash(GIVEN))
        bureau.decide(AddOperator(new), bureau.administrator, bureau.security)
        factor = Factor(FactorKind.DYNAMIC, secret=SECRET)
        prover = by_digits(digits(bureau))
        enrol(bureau, factor, prover, name, profile=Profile.STANDARD)
        with bureau.store.read() as tx:
            found = operators.find_by_name(tx, name)
        assert found is not None
        self.actors[name] = Actor(ActorKind.OPERATOR, found.id)

    def open(self, path: str = "/", **context: Any) -> Screen:
        """A page in a browser of its own. context: of the browser, such as its colours."""
        opened = self.browser.new_context(viewport=context.pop("viewport", WIDE), **context)
        self.screens.append(Screen.open(opened, f"{self.url}{path}"))
        return self.screens[-1]

    def sign_in(self, name: str, language: str = "zh", **context: Any) -> Screen:
        screen = self.open(f"/?lang={language}", **context)
        self.enter(screen, name)
        return screen

    def enter(self, screen: Screen, name: str) -> None:
        self.bureau.clock.advance(STEP_SECONDS)  # each dynamic password is good once
        fill_sign_in(screen, name, digits(self.bureau))
        screen.page.locator("nav.desk-pages").wait_for()

    def problems(self) -> dict[str, list[str]]:
        return {one.url: one.problems() for one in self.screens if one.problems()}

    def close(self) -> None:
        for screen in self.screens:
            screen.page.context.close()


def fill_sign_in(screen: Screen, name: str, dynamic: str, password: str = NEW_PASSWORD) -> None:
    for field_id, text in (("name", name), ("password", password), ("digits", dynamic)):
        screen.page.locator(f"#{field_id}").fill(text)
    screen.page.keyboard.press("Enter")


@contextmanager
def desk_of(
    bureau: Bureau,
    browser: Browser,
    staff: Iterable[tuple[str, str, Role]],
    profile: Profile = Profile.STANDARD,
) -> Iterator[BureauDesk]:
    """The pages over this bureau; `staff` have signed up already."""
    app = create_console(
        bureau.kernel,
        pepper=PEPPER,
        profile=profile,
        clock=bureau.clock,
        site=Site("issuance.console.pages"),
    )
    bound = listening()
    with served(SecurityHeaders(RequestLimits(app, LARGER_BODIES)), bound):
        desk = BureauDesk(bureau, url_of(bound), browser)
        for name, display_name, role in staff:
            desk.hire(name, display_name, role)
        try:
            yield desk
        finally:
            desk.close()
