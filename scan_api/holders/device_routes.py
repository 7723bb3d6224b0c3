"""What a holder's phone calls for codes that it makes with no network."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from card_core.kernel import Actor
from scan_api import problems
from scan_api.holders import PREFIX, device_examples, devices, idempotency, session
from scan_api.holders.device_models import (
    CredentialRequest,
    Credentials,
    DeviceRegistration,
    Devices,
    RegisteredDevice,
)
from scan_api.holders.idempotency import HOLDER_CHANGE, HeldKey
from scan_api.holders.origin import check_origin
from scan_api.holders.password_work import PasswordWork
from scan_api.openapi import BODY_FAULTS, HOLDER_SECURITY, example, json_answer, problem_answers
from scan_api.services import Services

_POSTED = (
    problems.SIGN_IN_NEEDED,
    problems.CROSS_SITE,
    *BODY_FAULTS,
    *idempotency.FAULTS,
    problems.ALREADY_EXISTS,
    problems.NOT_READY,
)
DeviceId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


def routes(
    services: Services, holder_of_session: Any, held_key: Any, password_work: PasswordWork
) -> APIRouter:
    """Part of the holder's router. holder_of_session, held_key: the dependencies that give the
    session's holder and the request's Idempotency-Key."""
    router = APIRouter(prefix=f"{PREFIX}/devices", tags=["holder"])
    changes = [Depends(check_origin)]

    @router.get(
        "",
        operation_id="listDevices",
        summary="My phones · 我的手机",
        responses={
            **json_answer(
                "The phones in use, and this session's challenge · 已登记的手机",
                {"devices": example("One phone · 一部手机", device_examples.DEVICES)},
            ),
            **problem_answers(problems.SIGN_IN_NEEDED, problems.NOT_READY),
        },
        openapi_extra=HOLDER_SECURITY,
    )
    def list_devices(request: Request, holder: Annotated[Actor, holder_of_session]) -> Devices:
        """The phones that may show codes with no network. A phone signs the challenge when it is
        registered and when it fetches credentials.

        可离线出示动态码的手机。登记手机、领取离线凭证时须对 challenge 签名。
        """
        return devices.list_devices(services, holder, session.challenge(services, request))

    @router.post(
        "",
        operation_id="registerDevice",
        summary="Register this phone · 登记本机",
        status_code=201,
        dependencies=changes,
        responses={
            **json_answer(
                "Registered · 已登记",
                {"device": example("An app · 应用", device_examples.REGISTERED)},
                status=201,
            ),
            **problem_answers(*_POSTED, problems.SIGN_IN_REFUSED, problems.SIGN_IN_LOCKED),
        },
        openapi_extra=HOLDER_CHANGE,
    )
    async def register_device(
        body: DeviceRegistration,
        request: Request,
        holder: Annotated[Actor, holder_of_session],
        held: Annotated[HeldKey, held_key],
    ) -> RegisteredDevice:
        """At most 3 phones. An app gives the e-card's password again, since its codes may consume;
        a browser's codes identify only.

        最多登记 3 部。应用须再次输入密码，其动态码可用于消费；浏览器的动态码仅可用于身份识别。
        """
        challenge = session.challenge(services, request)
        # Browsers add it to what any page asks, and no script can leave it out (Fetch Metadata).
        from_page = "sec-fetch-mode" in request.headers
        return await password_work.run(
            lambda: devices.register_device(
                services, holder, held, challenge, body, from_page=from_page
            )
        )

    @router.delete(
        "/{device_id}",
        operation_id="removeDevice",
        summary="Remove a phone · 移除手机",
        status_code=204,
        response_class=Response,
        dependencies=changes,
        responses=problem_answers(
            problems.SIGN_IN_NEEDED,
            problems.CROSS_SITE,
            problems.NOT_FOUND,
            problems.WRONG_STATE,
            *idempotency.FAULTS,
            problems.INVALID_REQUEST,
            problems.NOT_READY,
        ),
        openapi_extra=HOLDER_CHANGE,
    )
    def remove_device(
        device_id: DeviceId,
        holder: Annotated[Actor, holder_of_session],
        held: Annotated[HeldKey, held_key],
    ) -> None:
        """From this answer on no code of that phone is accepted where there is a network, and
        elsewhere as soon as the status list says so.

        自本答复起，该手机的动态码联网时不再通过；离线终端自收到新的状态列表起不再通过。
        """
        devices.remove_device(services, holder, held, device_id)

    @router.post(
        "/{device_id}/credentials",
        operation_id="fetchCredentials",
        summary="Credentials for the days ahead · 领取离线凭证",
        status_code=201,
        dependencies=changes,
        responses={
            **json_answer(
                "One credential a day · 每天一个凭证",
                {"credentials": example("One day · 一天", device_examples.CREDENTIALS)},
                status=201,
            ),
            **problem_answers(*_POSTED, problems.NOT_FOUND, problems.CARD_UNUSABLE),
        },
        openapi_extra=HOLDER_CHANGE,
    )
    def fetch_credentials(
        device_id: DeviceId,
        body: CredentialRequest,
        request: Request,
        holder: Annotated[Actor, holder_of_session],
        held: Annotated[HeldKey, held_key],
    ) -> Credentials:
        """For today and up to seven days ahead, each with a key of its own. The same request again
        gets the same credentials, byte for byte.

        可领取当天及之后七天的凭证，每天一把密钥。同一请求重发得到完全相同的凭证。
        """
        challenge = session.challenge(services, request)
        return devices.fetch_credentials(
            services, holder, held, challenge=challenge, device_id=device_id, request=body
        )

    return router
