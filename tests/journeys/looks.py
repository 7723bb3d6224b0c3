"""How a reader may have a page: in two languages, light or dark, in normal or large type."""

import re
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser
from stage import PHONE, Screen

Language = Literal["zh", "en"]
Scheme = Literal["light", "dark"]
Size = Literal["normal", "large"]
_LANGUAGES: tuple[Language, ...] = ("zh", "en")
_SCHEMES: tuple[Scheme, ...] = ("light", "dark")
_SIZES: tuple[Size, ...] = ("normal", "large")
_CHINESE = re.compile("[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Look:
    """One of the eight; as text it names pictures."""

    language: Language
    scheme: Scheme
    size: Size

    def __str__(self) -> str:
        return f"{self.language}-{self.scheme}-{self.size}"

    @property
    def query(self) -> str:
        return f"lang={self.language}&type={self.size}"

    def open(self, browser: Browser, url: str, **options: Any) -> Screen:
        """The page on a small phone. options: more of the browser's context."""
        context = browser.new_context(viewport=PHONE, color_scheme=self.scheme, **options)
        return Screen.open(context, f"{url}?{self.query}")

    def is_whole(self, text: str) -> bool:
        """Whether the text is in its language: Chinese in any, or in none of it."""
        return bool(_CHINESE.search(text)) == (self.language == "zh")

    def word(self, zh: str, en: str) -> str:
        """The one of its language."""
        return zh if self.language == "zh" else en


# The short run takes two that differ in everything.
_ALWAYS = {"zh-light-normal", "en-dark-large"}
_EIGHT = [
    Look(language, scheme, size)
    for language in _LANGUAGES
    for scheme in _SCHEMES
    for size in _SIZES
]
in_each_look = pytest.mark.parametrize(
    "look",
    [pytest.param(one, marks=() if str(one) in _ALWAYS else pytest.mark.long) for one in _EIGHT],
    ids=str,
)
