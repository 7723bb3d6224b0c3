"""Made-up people by the million: every number is valid, and nobody has it twice."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from card_core.application import Application, ApplicationKind
from card_core.identity import IdentityNumber, Sex
from card_core.identity.number import check_character
from issuance.roster import columns

REGION = "440604"
# Their numbers are of another one, which nobody in the sample rosters comes from.
BORN_IN = "530102"
FIRST_BIRTH = date(1950, 1, 1)
A_DAY = 999


def numbers(first: int, count: int) -> Iterator[str]:
    """Social security numbers of `count` people, from the one with the serial `first`."""
    for serial in range(first, first + count):
        born = FIRST_BIRTH + timedelta(days=serial // A_DAY)
        body = f"{BORN_IN}{born:%Y%m%d}{serial % A_DAY + 1:03d}"
        yield body + check_character(body)


def applications(first: int, count: int) -> Iterator[Application]:
    for row, text in enumerate(numbers(first, count), 1):
        number = IdentityNumber(text)
        yield Application(
            row=row,
            number=number,
            name="欧阳建国",
            sex=number.sex,
            birth_on=number.birth_on,
            ethnic_code="01",
            phone=f"138{row % 100_000_000:08d}",
            address="广东省佛山市禅城区汾江中路125号3栋702房",
            region=REGION,
            kind=ApplicationKind.NEW,
            bank="102",
            branch="440604015",
            guardian_name=None,
            guardian_number=None,
        )


def write_roster(path: Path, count: int, first: int = 0) -> None:
    """A roster as bureaus send it: CSV in GB 18030. first: the serial of its first person."""
    with path.open("w", encoding="gb18030", newline="") as file:
        file.write(",".join(columns.TITLES) + "\r\n")
        for one in applications(first, count):
            cells = {
                "姓名": one.name,
                "证件类型": "居民身份证",
                "证件号码": one.number.text,
                "性别": "男" if one.sex is Sex.MALE else "女",
                "民族": "汉",
                "出生日期": one.birth_on.isoformat(),
                "手机号码": one.phone,
                "通讯地址": one.address,
                "户籍行政区划": one.region,
                "申领类型": "新申领",
                "发卡银行": one.bank,
                "领卡网点": one.branch,
            }
            file.write(",".join(cells.get(title, "") for title in columns.TITLES) + "\r\n")
