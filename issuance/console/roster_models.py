"""What is sent and told of a roster. Nobody's data is in it: rows have numbers and fields."""

from typing import Annotated

from pydantic import BaseModel, Field

from issuance.console.models import Sent
from issuance.console.uploads import UploadState
from issuance.roster.file_error import FILE_BYTES_MAX
from issuance.roster.problem import FieldProblem
from issuance.roster.report import RowFindings


class NewRoster(Sent):
    """`file_name`: its ending says what it is, and becomes the batch's name. `size`: bytes."""

    file_name: Annotated[str, Field(min_length=1, max_length=255)]
    size: Annotated[int, Field(ge=1, le=FILE_BYTES_MAX * 2)]


class RosterImport(Sent):
    name: Annotated[str, Field(min_length=1, max_length=64)]


class RowProblem(BaseModel):
    """`field`: the title of the column."""

    field: str
    code: str
    message_zh: str
    message_en: str

    @classmethod
    def of(cls, found: FieldProblem) -> "RowProblem":
        problem = found.problem
        return cls(
            field=found.field,
            code=problem.code,
            message_zh=problem.message_zh,
            message_en=problem.message_en,
        )


class RosterRow(BaseModel):
    """`row`: from 1, without the header."""

    row: int
    problems: list[RowProblem]

    @classmethod
    def of(cls, found: RowFindings) -> "RosterRow":
        return cls(row=found.row, problems=[RowProblem.of(one) for one in found.problems])


class RosterRows(BaseModel):
    """`count`: of all rows that were refused."""

    rows: list[RosterRow]
    count: int


class ProblemKind(RowProblem):
    """`count`: rows that have it."""

    count: int

    @classmethod
    def of(cls, found: FieldProblem, count: int = 0) -> "ProblemKind":
        return cls(count=count, **RowProblem.of(found).model_dump())


class RefusedLater(BaseModel):
    """Good rows that the holders there are have refused. `rows`: the first of them."""

    code: str
    message_zh: str
    message_en: str
    rows: list[int]
    count: int


class RosterProblem(BaseModel):
    code: str
    detail: str
    detail_zh: str


class RosterView(BaseModel):
    """`problem`: why it can't be used at all. `accepted`, `refused`: rows by the roster's check;
    `imported`: rows in the batch, null before. `part_bytes`: how large a part may be."""

    roster_id: str
    name: str
    state: UploadState
    size: int
    received: int
    part_bytes: int
    rows_done: int
    rows_expected: int | None
    accepted: int
    refused: int
    digest: str | None
    kinds: list[ProblemKind]
    problem: RosterProblem | None
    imported: int | None
    batch_id: str | None
    refused_later: list[RefusedLater]
