"""Whether the process lives, and whether it can serve. The answers tell nothing else."""

from fastapi import APIRouter
from pydantic import BaseModel

from card_core.errors import StoreError
from crypto import RandomSourceError, SelfTestError, random_source
from scan_api import problems
from scan_api.openapi import problem_answers
from scan_api.problems import ProblemError
from scan_api.services import Services

RANDOM_PROBE_BYTES = 32


class Health(BaseModel):
    status: str


def routes(services: Services) -> APIRouter:
    router = APIRouter(tags=["service"])

    @router.get(
        "/healthz",
        operation_id="healthz",
        summary="The process lives · 进程存活",
    )
    async def healthz() -> Health:
        """Answers as long as requests are taken at all; asks nothing else. 仅表示进程存活。"""
        return Health(status="alive")

    @router.get(
        "/readyz",
        operation_id="readyz",
        summary="The service can serve · 服务就绪",
        responses=problem_answers(problems.NOT_READY),
    )
    def readyz() -> Health:
        """The database answers and is migrated, its clock and this machine's agree, the terminals
        are known, there are keys to check codes with, the random source gives sound bytes, and no
        cryptographic self-test has failed.
        `attention` instead of `ready`: all of that, but some record fails its integrity check and
        is refused, or codes signed for identifying only are refused for want of the fast store; the
        log says which.

        数据库可用且结构为最新，其时钟与本机一致，终端名录为最新，有可用于核验的密钥，随机源正常，密码模块自检未出现
        失败。若为 attention：服务可用，但有记录未通过完整性校验而被拒用，或快速核销库不可用、仅供
        识别的动态码被要求刷新，详见日志。
        """
        if not _is_ready(services):
            raise ProblemError(problems.NOT_READY)
        registry, integrity = services.authentication.registry, services.store.integrity
        is_intact = registry.tampered_rows() == integrity.tampered_rows() == 0
        identifies = services.identifying is None or services.identifying.ready() is None
        return Health(status="ready" if is_intact and identifies else "attention")

    return router


def _is_ready(services: Services) -> bool:
    try:
        # Each question is a draw that the random source's tests look at; the clock may refuse.
        random_source.random_bytes(RANDOM_PROBE_BYTES)
        services.clock()
        knows_terminals = services.authentication.registry.is_fresh()
        return knows_terminals and services.store.is_current() and len(services.key_ring()) > 0
    except (StoreError, SelfTestError, RandomSourceError):
        return False
