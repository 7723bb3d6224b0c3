"""The act that sets what the issuer decides for its cards."""

from dataclasses import dataclass
from typing import ClassVar

from card_core.card_policy import (
    FAMILY_MAX,
    FAMILY_MOST,
    LOSS_DAYS,
    CardNumberKept,
    CardPolicy,
)
from card_core.errors import InvalidActError, NotFoundError
from card_core.kernel import limits
from card_core.kernel.act import DangerousAct, Done, Scene
from card_core.kernel.content import to_json
from card_core.store import Reader, card_policies, issuers


@dataclass(frozen=True, slots=True)
class SetCardPolicy(DangerousAct):
    """See `card_core.card_policy.CardPolicy`. Losses that are reported already keep their end."""

    act: ClassVar[str] = "set_card_policy"

    loss_days: int
    withdraws_formal_loss: bool
    on_replacement: CardNumberKept
    on_exchange: CardNumberKept
    family_max: int = FAMILY_MAX

    def __post_init__(self) -> None:
        if self.loss_days not in LOSS_DAYS:
            days = ", ".join(map(str, LOSS_DAYS))
            raise InvalidActError("loss_days", f"应为以下之一：{days}", f"must be one of {days}")
        limits.check_range("family_max", self.family_max, 0, FAMILY_MOST)

    def summary(self, tx: Reader) -> str:
        formal_zh, formal_en = (
            ("可以", "may") if self.withdraws_formal_loss else ("不得", "may not")
        )
        return (
            f"临时挂失 {self.loss_days} 天后自动解挂；正式挂失{formal_zh}解除；"
            f"补卡 {self.on_replacement.value}，换卡 {self.on_exchange.value}；"
            f"亲属电子社保卡最多出示 {self.family_max} 张 / "
            f"A temporary loss lapses after {self.loss_days} days; a formal one {formal_en} be "
            f"withdrawn; card number on replacement {self.on_replacement.value}, "
            f"on exchange {self.on_exchange.value}; at most {self.family_max} family members' "
            "e-cards shown"
        )

    def apply(self, scene: Scene) -> Done:
        issuer = issuers.own(scene.tx)
        if issuer is None:
            raise NotFoundError("issuer")
        policy = CardPolicy(
            self.loss_days,
            self.withdraws_formal_loss,
            self.on_replacement,
            self.on_exchange,
            self.family_max,
        )
        card_policies.put(scene.tx, issuer.number, policy)
        answer = to_json(self)
        return Done(answer, f"issuer/{issuer.number}", answer)
