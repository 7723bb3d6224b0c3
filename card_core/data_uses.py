"""What personal data is used for (个人信息的使用), and on which ground each use rests.

Consent is asked where the holder may as well say no, and only there: whoever is identified at a
counter is so under the Social Insurance Law (社会保险法, articles 8, 58 and 74) and for what they
came for, which a consent would only seem to govern (个人信息保护法, articles 13 to 16). A use that
rests on consent ends with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class DataUse(StrEnum):
    IDENTIFY = "identify"
    RECORD_SCANS = "record_scans"
    KEEP_SAFE = "keep_safe"
    FAMILY_SHOWING = "family_showing"
    OFFLINE_PHONE = "offline_phone"
    SCAN_MESSAGES = "scan_messages"


class Ground(StrEnum):
    """law: 履行法定职责或法定义务; service: 为履行所请求的服务所必需; consent: 本人同意."""

    LAW = "law"
    SERVICE = "service"
    CONSENT = "consent"


@dataclass(frozen=True, slots=True)
class DataUseRule:
    """What a holder is told of a use: its name, what happens, and what it rests on."""

    ground: Ground
    name_zh: str
    name_en: str
    text_zh: str
    text_en: str


RULES: Mapping[DataUse, DataUseRule] = MappingProxyType(
    {
        DataUse.IDENTIFY: DataUseRule(
            Ground.LAW,
            "在窗口核验身份",
            "Identifying you at a counter",
            "医院、药店扫您的码时，看到办这件事所需的信息。依据社会保险法，不需要另行同意。",
            "A hospital or pharmacy that scans your code sees what the matter needs. The Social "
            "Insurance Law has it so; no consent is asked.",
        ),
        DataUse.RECORD_SCANS: DataUseRule(
            Ground.LAW,
            "记录每次扫码",
            "Keeping a record of each scan",
            "谁、什么时候、为什么扫了您的码，都记下来，您可以查。基金监督要求留存。",
            "Who scanned you, when and for what is kept, and you can look. The supervision of the "
            "funds needs it.",
        ),
        DataUse.KEEP_SAFE: DataUseRule(
            Ground.SERVICE,
            "登录与本人核验",
            "Signing in, and checking that it is you",
            "密码、登录时间、本人核验的结果，只用来防止别人冒用。",
            "Password, times of signing in, and what a check of the person came to: only so that "
            "nobody else uses your card.",
        ),
        DataUse.FAMILY_SHOWING: DataUseRule(
            Ground.CONSENT,
            "让亲属出示我的码",
            "Letting relatives show my code",
            "您给过授权码的亲属可以出示您的码。撤回后，谁都不能再出示。",
            "Relatives to whom you gave a code may show yours. Take it back, and nobody may.",
        ),
        DataUse.OFFLINE_PHONE: DataUseRule(
            Ground.CONSENT,
            "没有网络时用手机出示",
            "Codes on my phone without a network",
            "绑定的手机里存有几天的凭证。撤回后，所有手机解除绑定，凭证作废。",
            "A bound phone holds credentials for some days. Take it back, and every phone is "
            "unbound and its credentials are void.",
        ),
        DataUse.SCAN_MESSAGES: DataUseRule(
            Ground.CONSENT,
            "扫码后给我发消息",
            "Messages to me about scans",
            "您的码被使用后，发卡机构可以给您登记的手机发消息。默认不发，随时可以改。",
            "After your code was used, the bureau may send a message to the phone that you gave "
            "it. It does not unless you say so here.",
        ),
    }
)
