"""What may go wrong between a terminal and the service.

TerminalError
├── RequestRefusedError   the service answered with a problem document: nothing was done
├── ServiceAwayError      the service was not reached: nothing was done
└── OutcomeUnknownError   a request left and no answer came: ask again with its request id
"""

from typing import Any


class TerminalError(Exception):
    """The root. `code` is stable; the texts are for the clerk and hold nothing personal."""

    code: str
    title_zh: str
    title_en: str
    detail_zh: str
    detail_en: str

    @property
    def message_zh(self) -> str:
        return f"{self.title_zh}。{self.detail_zh}"

    @property
    def message_en(self) -> str:
        return f"{self.title_en}. {self.detail_en}"

    def __str__(self) -> str:
        return f"{self.message_zh} {self.message_en}"


class ServiceAwayError(TerminalError):
    code = "service_away"
    title_zh = "连不上核验服务"
    title_en = "The service can't be reached"
    detail_zh = "请检查网络。没有核验之前不要办理；页面会自动再试。"
    detail_en = "Check the network. Don't serve anyone unchecked; the page tries again by itself."


class OutcomeUnknownError(TerminalError):
    code = "outcome_unknown"
    title_zh = "没有收到核验结果"
    title_en = "No result came back"
    detail_zh = "核验可能已经记录。请用同一请求号再问，不要当作通过。"
    detail_en = "The scan may have been recorded. Ask again with its request id; it is not a yes."


class RequestRefusedError(TerminalError):
    """problem: the service's problem document (RFC 9457)."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.problem = problem
        self.code = str(problem["code"])
        self.title_zh = str(problem["title_zh"])
        self.title_en = str(problem["title"])
        self.detail_zh = str(problem["detail_zh"])
        self.detail_en = str(problem["detail"])
        super().__init__()
