"""Chip cards (实体社会保障卡) at a counter: what a reader says of one, and whether it is genuine.

    challenge = challenges.make(terminal, now, random)  # for terminal and card
    text = parse_card_text(read)                        # what iReadCardBas returned
    authentication.verify(text.region, text.card_number, challenge, cryptogram)

A chip proves itself by internal authentication: it has an SM4 key of its own, takes a session
factor and a challenge, and answers with a cryptogram. Rules alone: nothing here reads a database, a
clock or a random source. The keys, the derivation and a worked example are in docs/chip-cards.md.

    ValueError
      CardTextError         the text is none that a reader returns; .problems
    Exception
      ChallengeError        the challenge is not ours, not this terminal's, or too old
      CardNotGenuineError   the cryptogram is wrong, or no key is here to check it with
"""

from card_core.chip_cards.authentication import (
    CRYPTOGRAM_SIZE_BYTES,
    CardAuthentication,
    CardNotGenuineError,
    SoftwareCardAuthentication,
    card_authentication_key,
    card_factor,
    card_key,
    cryptogram_of,
    region_key,
)
from card_core.chip_cards.card_text import (
    CARD_TEXT_MAX,
    CardText,
    CardTextError,
    CardTextProblem,
    parse_card_text,
)
from card_core.chip_cards.challenges import (
    CHALLENGE_KEY,
    CHALLENGE_LIFE_SECONDS,
    CHALLENGE_RANDOM_SIZE_BYTES,
    Challenge,
    ChallengeError,
    Challenges,
)

__all__ = [
    "CARD_TEXT_MAX",
    "CHALLENGE_KEY",
    "CHALLENGE_LIFE_SECONDS",
    "CHALLENGE_RANDOM_SIZE_BYTES",
    "CRYPTOGRAM_SIZE_BYTES",
    "CardAuthentication",
    "CardNotGenuineError",
    "CardText",
    "CardTextError",
    "CardTextProblem",
    "Challenge",
    "ChallengeError",
    "Challenges",
    "SoftwareCardAuthentication",
    "card_authentication_key",
    "card_factor",
    "card_key",
    "cryptogram_of",
    "parse_card_text",
    "region_key",
]
