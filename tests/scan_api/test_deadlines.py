"""What takes too long is ended, what others end is theirs, and what is in time hears nothing."""

import asyncio

import pytest

from scan_api.deadlines import Deadlines, OverdueError


async def _wait(deadlines: Deadlines, event: asyncio.Event) -> str:
    with deadlines:
        await event.wait()
    return "in time"


def test_of_two_the_one_that_waits_for_ever_is_ended() -> None:
    async def run() -> None:
        deadlines, soon = Deadlines(0.05), asyncio.Event()
        for_ever = asyncio.create_task(_wait(deadlines, asyncio.Event()))
        in_time = asyncio.create_task(_wait(deadlines, soon))
        await asyncio.sleep(0)
        soon.set()
        assert await in_time == "in time"
        with pytest.raises(OverdueError):
            await for_ever
        assert not for_ever.cancelled()

    asyncio.run(run())


def test_one_after_the_other_each_has_its_whole_time() -> None:
    async def run() -> None:
        deadlines = Deadlines(0.03)
        for _ in range(3):
            began = asyncio.get_running_loop().time()
            with pytest.raises(OverdueError):
                await _wait(deadlines, asyncio.Event())
            assert asyncio.get_running_loop().time() - began >= 0.03
        # Nothing of them is left: who comes next is in time, and may stay longer outside.
        now = asyncio.Event()
        now.set()
        assert await _wait(deadlines, now) == "in time"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.06)

    asyncio.run(run())


def test_a_task_that_somebody_else_cancels_is_cancelled() -> None:
    async def run() -> None:
        deadlines = Deadlines(10.0)
        task = asyncio.create_task(_wait(deadlines, asyncio.Event()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_an_error_from_inside_comes_out_as_it_is() -> None:
    async def run() -> None:
        with pytest.raises(ValueError, match="inside"), Deadlines(10.0):
            raise ValueError("inside")

    asyncio.run(run())
