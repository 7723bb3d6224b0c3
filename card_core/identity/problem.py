"""What is wrong with a value, said so that a clerk or a citizen can put it right."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: a stable English code and what to do, in Chinese and English.

    The texts are constants: they never repeat the value, which is personal data.
    """

    code: str
    message_zh: str
    message_en: str
