"""Who checks people that activate their e-card online."""

from collections.abc import Iterator

from issuance.checkup.finding import Finding, Grade, told
from issuance.person_check import read_shared_secret
from issuance.settings import Settings

ABOUT = "本人核验 Check of the person"


def look(settings: Settings) -> Iterator[Finding]:
    """A simulation lets everybody pass who can read: no installation may serve people with it."""
    chosen = settings.person_check
    if chosen is None:
        seen = "未开通网上开通电子社保卡 online activation is not offered"
        yield Finding(ABOUT, Grade.WELL, seen)
        return
    if chosen.address is None:
        advice = "请改设核验服务地址，或取消 SSCARD_PERSON_CHECK name a provider, or unset it"
        seen = f"模拟核验，任何人都能通过 simulated: whoever reads passes; {advice}"
        yield Finding(ABOUT, Grade.BAD, seen)
        return

    def secret() -> str:
        read_shared_secret(chosen.secret_file)
        return "已配置核验服务 a provider is configured"

    yield told(ABOUT, secret)
