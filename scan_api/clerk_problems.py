"""What stands in a clerk's way at a service channel; see `problems`."""

from scan_api.problem_document import Problem

CARD_NOT_HERE = Problem(
    "card_not_here",
    404,
    "There is no such card to be served here",
    "这里没有可以办理的卡",
    "Number, name and card number must be those of the document and of the card, and a card that "
    "is collected must have been sent to this very branch. Check them, or ask the bureau.",
    "号码、姓名、卡号须与证件和卡面一致；领卡的，卡须已配送到本网点。请核对；仍不行，请联系发卡机构。",
)
TOO_MANY_TRIES = Problem(
    "too_many_tries",
    429,
    "Too many people were looked for and not found",
    "查无此人的次数过多",
    "More than 10 in a minute by one clerk. Wait as long as Retry-After says.",
    "同一人员一分钟内超过 10 次。请按 Retry-After 等待后再试。",
)
