"""What stands in the way of a check of the person, and of a new password; see `problems`."""

from scan_api.problem_document import Problem

MISSING = Problem(
    "person_check_missing",
    409,
    "This is not offered online here",
    "本机构未开通网上办理",
    "Take your identity card and your social security card to the card window.",
    "请带身份证和社保卡到社保卡窗口办理。",
)
REFUSED = Problem(
    "person_check_refused",
    403,
    "The check was not passed, or what was typed does not fit",
    "核验未通过，或所填信息与登记不符",
    "Check number, name and card number, and try again. An e-card that is active already needs no "
    "activation: sign in, or set another password. If it stays, take your identity card to the "
    "card window.",
    "请核对号码、姓名和卡号后再试。已开通的电子社保卡无须再开通，请直接登录或用“忘记密码”。仍不行，"
    "请带身份证到社保卡窗口。",
)
UNDECIDED = Problem(
    "person_check_undecided",
    409,
    "The check is not finished",
    "核验还没有完成",
    "Do what the check asks first, then go on here.",
    "请先按提示完成核验，再回到这里继续。",
)
OVER = Problem(
    "person_check_over",
    409,
    "This check is over",
    "本次核验已结束",
    "It was used, took more than 15 minutes, or was refused three times. Begin anew.",
    "本次核验已用过、超过 15 分钟，或三次未通过。请重新开始。",
)
LOCKED = Problem(
    "person_check_locked",
    429,
    "Too many tries",
    "次数过多",
    "Wait as long as Retry-After says, or take your identity card to the card window.",
    "请按 Retry-After 等待后再试，或带身份证到社保卡窗口办理。",
)
UNAVAILABLE = Problem(
    "person_check_unavailable",
    503,
    "The check of the person can't be done now",
    "暂时无法进行本人核验",
    "Nothing was decided, and this does not count as a try. Try again in some minutes.",
    "尚未作出任何判断，也不计入次数。请几分钟后再试。",
)
WEAK_PASSWORD = Problem(
    "weak_password",
    422,
    "This password is too easy to guess",
    "密码过于简单",
    "Choose six digits that are no run, no repetition, and in no number of yours.",
    "请另选 6 位数字：不能是连续或重复的数字，也不能取自您的号码。",
)
