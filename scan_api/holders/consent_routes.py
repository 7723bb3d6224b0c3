"""What a holder calls about the uses of their data (个人信息保护法, articles 13 to 17, 44)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from card_core.data_uses import RULES, DataUse, Ground
from card_core.kernel import Actor
from card_core.kernel.acts.consents import SetConsent
from card_core.store import consents, devices, family_members
from card_core.store.consents import ConsentState
from scan_api import problems
from scan_api.holders import PREFIX, idempotency
from scan_api.holders.consent_models import ConsentChange, ConsentSet, DataUses, DataUseView
from scan_api.holders.idempotency import HOLDER_CHANGE, HeldKey, perform_once
from scan_api.holders.origin import check_origin
from scan_api.openapi import BODY_FAULTS, HOLDER_SECURITY, example, json_answer, problem_answers
from scan_api.services import Services

SET: dict[str, Any] = {
    "data_use": "scan_messages",
    "given": True,
    "changed_at": "2026-01-01T00:00:00Z",
    "ended": 0,
}
USES: dict[str, Any] = {
    "data_uses": [
        {
            "data_use": use.value,
            "ground": rule.ground.value,
            "name_zh": rule.name_zh,
            "name_en": rule.name_en,
            "text_zh": rule.text_zh,
            "text_en": rule.text_en,
            "given": False if rule.ground is Ground.CONSENT else None,
            "changed_at": None,
        }
        for use, rule in RULES.items()
    ]
}


def routes(services: Services, holder_of_session: Any, held_key: Any) -> APIRouter:
    """Part of the holder's router; see `device_routes.routes`."""
    router = APIRouter(prefix=f"{PREFIX}/data-uses", tags=["holder"])

    @router.get(
        "",
        operation_id="listDataUses",
        summary="What my data is used for · 我的信息怎么用",
        responses={
            **json_answer(
                "Each with its ground · 各项用途及依据", {"uses": example("All · 全部", USES)}
            ),
            **problem_answers(problems.SIGN_IN_NEEDED, problems.NOT_READY),
        },
        openapi_extra=HOLDER_SECURITY,
    )
    def list_data_uses(holder: Annotated[Actor, holder_of_session]) -> DataUses:
        """Every use, the ground that it rests on, and what the holder said where it is consent.

        每一项用途、依据，以及以同意为依据的是否已同意。
        """
        return _list(services, holder)

    @router.post(
        "/{data_use}/consents",
        operation_id="setConsent",
        summary="Consent, or take it back · 同意或撤回",
        status_code=201,
        dependencies=[Depends(check_origin)],
        responses={
            **json_answer(
                "It stands so from now on · 即时生效",
                {"set": example("Given · 已同意", SET)},
                status=201,
            ),
            **problem_answers(
                problems.SIGN_IN_NEEDED,
                problems.CROSS_SITE,
                *BODY_FAULTS,
                *idempotency.FAULTS,
                problems.NOT_READY,
            ),
        },
        openapi_extra=HOLDER_CHANGE,
    )
    def set_consent(
        data_use: DataUse,
        body: ConsentChange,
        holder: Annotated[Actor, holder_of_session],
        held: Annotated[HeldKey, held_key],
    ) -> ConsentSet:
        """For a use that rests on consent. Taken back, it ends with what rested on it: nobody but a
        guardian shows the e-card any more, or every phone is unbound.

        仅限以同意为依据的用途。撤回后，亲属（监护人除外）不能再出示，或所有手机解除绑定。
        """

        def prepare() -> SetConsent:
            return SetConsent(data_use, body.given)

        return ConsentSet(**perform_once(services.kernel, held, prepare, holder=holder))

    return router


def _list(services: Services, holder: Actor) -> DataUses:
    with services.store.read() as tx:
        said = {one.data_use: one for one in consents.of_records(tx, [holder.id])}
        # What was begun before consents were written down says as much.
        rests = {
            DataUse.FAMILY_SHOWING: bool(family_members.resting_on_consent(tx, holder.id)),
            DataUse.OFFLINE_PHONE: bool(devices.of_holder(tx, holder.id)),
        }
    found = []
    for use, rule in RULES.items():
        consent = said.get(use)
        given = rests.get(use, False) if consent is None else consent.state is ConsentState.GIVEN
        found.append(
            DataUseView(
                data_use=use,
                ground=rule.ground,
                name_zh=rule.name_zh,
                name_en=rule.name_en,
                text_zh=rule.text_zh,
                text_en=rule.text_en,
                given=given if rule.ground is Ground.CONSENT else None,
                changed_at=None if consent is None else consent.changed_at,
            )
        )
    return DataUses(data_uses=found)
