"""Who a holder is: numbers, names, ethnic groups, phones, ages, and how they are masked.

Pure rules: no input or output, no clock. Each value's problems are constants with a stable code
and a text in Chinese and English (`Problem`).

    ValueError
      IdentityNumberError   the text is no social security number; .problems
      NameTooLongError      the chip can't hold the name; .problem
"""

from card_core.identity.age import is_at_least, validate_birth_on
from card_core.identity.ethnic import ETHNIC_GROUPS, parse_ethnic_group
from card_core.identity.likeness import Likeness, Traits, likeness, number_of_18
from card_core.identity.mask import mask_card_number, mask_name, mask_number, mask_phone
from card_core.identity.name import NameTooLongError, chip_name, is_common_name, validate_name
from card_core.identity.number import (
    IdentityNumber,
    IdentityNumberError,
    NumberKind,
    Sex,
    check_character,
)
from card_core.identity.phone import validate_mobile
from card_core.identity.problem import Problem

__all__ = [
    "ETHNIC_GROUPS",
    "IdentityNumber",
    "IdentityNumberError",
    "Likeness",
    "NameTooLongError",
    "NumberKind",
    "Problem",
    "Sex",
    "Traits",
    "check_character",
    "chip_name",
    "is_at_least",
    "is_common_name",
    "likeness",
    "mask_card_number",
    "mask_name",
    "mask_number",
    "mask_phone",
    "number_of_18",
    "parse_ethnic_group",
    "validate_birth_on",
    "validate_mobile",
    "validate_name",
]
