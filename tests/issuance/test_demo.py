"""The demonstration's own safety: its folder, its lock, and its exit code when a step is wrong."""

import fcntl
from pathlib import Path

import pytest
from office import Office, refused

from issuance.cli.demo.counter import EXPIRED_BY
from issuance.cli.demo.folder import fresh_folder
from issuance.cli.demo.steps import DeviationError, Steps
from issuance.errors import FileRefusedError, HomeError


def test_the_folder_is_made_anew_at_each_run(tmp_path: Path) -> None:
    place = tmp_path / "build" / "demo"
    for _ in range(2):
        with fresh_folder(place) as folder:
            assert not (folder.path / "left").exists()
            (folder.path / "left").touch()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("years of work")
    with pytest.raises(HomeError) as caught, fresh_folder(tmp_path):
        pass
    assert caught.value.code == "not_a_demo_folder"
    assert (tmp_path / "thesis.doc").read_text() == "years of work"


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    with fresh_folder(tmp_path / "demo") as folder:
        assert folder.path.is_dir()


def test_two_runs_do_not_mix(tmp_path: Path) -> None:
    place = tmp_path / "demo"
    with fresh_folder(place) as folder:
        (folder.path / "mine").touch()
        with pytest.raises(HomeError) as caught, fresh_folder(place):
            pass
        assert (folder.path / "mine").exists()
    assert caught.value.code == "demo_running"
    with fresh_folder(place):
        pass


def test_a_place_that_cannot_be_written_is_told() -> None:
    with pytest.raises(FileRefusedError), fresh_folder(Path("/sys/demo")):
        pass


def test_what_the_environment_names_is_not_touched(tmp_path: Path) -> None:
    with fresh_folder(tmp_path / "demo") as folder:
        assert folder.settings().database_url == f"sqlite:///{tmp_path}/demo/home/sscard.db"


def test_the_command_says_why_it_does_not_start(empty_office: Office) -> None:
    place = empty_office.folder / "demo"
    with (empty_office.folder / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused(empty_office.run("demo", "--once", "--folder", str(place)), "另一个演示", "Another")


def test_a_step_that_deviates_ends_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    steps = Steps()
    with steps.step("好", "Good") as step:
        step.expect("one", 1, 1)
    with pytest.raises(DeviationError) as caught, steps.step("坏", "Bad") as step:
        step.expect("two", 2, 3)
    assert caught.value.message_en == "two: expected 3, found 2"
    out = capsys.readouterr().out
    assert "✓ 好 Good" in out
    assert "✗ 坏 Bad" in out


@pytest.mark.parametrize(
    ("changed", "value", "told"),
    [
        # hospitals' business type at a pharmacy: the first scan is no verdict at all
        ("counter.BUSINESS_TYPE", "01101", "business_type_not_allowed"),
        # a clock that was not set back: the expired code is fresh
        ("counter.EXPIRED_BY", EXPIRED_BY * 0, "expected expired, found accepted"),
        # an alteration that alters nothing
        ("counter._altered", str, "expected bad_signature, found accepted"),
        # a roster of another size
        ("bureau.ROSTER_ROWS", 601, "expected 601, found 600"),
    ],
)
def test_a_wrong_outcome_exits_1_and_says_which_step(
    empty_office: Office,
    monkeypatch: pytest.MonkeyPatch,
    changed: str,
    value: object,
    told: str,
) -> None:
    monkeypatch.setattr(f"issuance.cli.demo.{changed}", value)
    result = empty_office.run("demo", "--once", "--folder", str(empty_office.folder / "demo"))
    assert result.exit_code == 1
    assert told in result.stderr
    assert result.stdout.splitlines()[-1].lstrip(" 0123456789").startswith("✗")
