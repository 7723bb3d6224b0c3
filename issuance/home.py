"""The home: the folder of one installation, with its keys, its sessions and the embedded database.

home.json    written last by `sscard init`; without it the home isn't initialised
keys/        key files under a passphrase (crypto.keys)
sscard.db    the embedded database, unless another is set
audit/       checkpoints of the audit log, unless another file is set
sessions/    one file for each operator signed in at this computer, readable by its owner alone
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from card_core.sign_in import Profile
from issuance.errors import HomeError
from issuance.files import PRIVATE, not_writable, write_whole

FORMAT = 1
FOLDER_MODE = 0o700


@dataclass(frozen=True, slots=True)
class HomeFacts:
    """What was fixed when the home was made.

    issuer: the bureau's issuer number, 1 to 65535, inside every code. profile: which password
    hashes and second factors there are; homes that were made before there was a choice have `sm`.
    """

    issuer: int
    profile: Profile = Profile.SM


@dataclass(frozen=True, slots=True)
class Home:
    """Paths and small files of one installation; whether they exist is each method's business."""

    path: Path

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def sessions(self) -> Path:
        return self.path / "sessions"

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.path / 'sscard.db'}"

    @property
    def checkpoint_file(self) -> Path:
        return self.path / "audit" / "checkpoints.jsonl"

    @property
    def facts_file(self) -> Path:
        return self.path / "home.json"

    def is_initialised(self) -> bool:
        return self.facts_file.exists()

    def make(self) -> None:
        """Make the folders, for the owner alone. Raises FileRefusedError."""
        try:
            for folder in (self.path, self.sessions):
                folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
                folder.chmod(FOLDER_MODE)
        except OSError as error:
            raise not_writable(self.path, error) from error

    def refuse_strangers(self, known: Iterable[str]) -> None:
        """Raise HomeError when the folder holds anything but the `known` names.

        A slip of SSCARD_HOME must not sow keys into somebody's documents.
        """
        if not self.path.exists():
            return
        try:
            strangers = sorted({entry.name for entry in self.path.iterdir()} - set(known))
        except OSError as error:
            raise not_writable(self.path, error) from error
        if strangers:
            raise HomeError(
                "home_not_empty",
                f"文件夹 {self.path} 里已有别的内容（如 {strangers[0]}）。请让 SSCARD_HOME "
                "指向一个新的或空的文件夹。",
                f"The folder {self.path} holds something else (such as {strangers[0]}). Let "
                "SSCARD_HOME name a new or an empty folder.",
            )

    def write_facts(self, facts: HomeFacts) -> None:
        """Mark the home as initialised. Raises FileRefusedError."""
        content = json.dumps({"format": FORMAT, **asdict(facts)}, indent=1) + "\n"
        write_whole(self.facts_file, content.encode(), mode=PRIVATE)

    def facts(self) -> HomeFacts:
        """Read what `write_facts` wrote. Raises HomeError."""
        try:
            content = json.loads(self.facts_file.read_bytes())
            written = content["format"]
            if written == FORMAT:
                return HomeFacts(int(content["issuer"]), Profile(content.get("profile", "sm")))
        except FileNotFoundError as error:
            raise HomeError(
                "home_not_initialised",
                f"{self.path} 尚未初始化。请先运行 sscard init，或让 SSCARD_HOME "
                "指向已初始化的文件夹。",
                f"{self.path} is not initialised. Run sscard init first, or let SSCARD_HOME name "
                "the folder that is.",
            ) from error
        except PermissionError as error:
            raise HomeError(
                "home_not_readable",
                f"无权读取 {self.path}。请用安装时的系统用户运行。",
                f"{self.path} can't be read. Run as the system user who made it.",
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise HomeError(
                "home_damaged",
                f"{self.facts_file} 已损坏。请从备份恢复该文件。",
                f"{self.facts_file} is damaged. Restore it from a backup.",
            ) from error
        raise HomeError(
            "home_newer",
            f"{self.path} 由其他版本的 sscard 建立（格式 {written}）。请升级 sscard。",
            f"{self.path} was made by another version of sscard (format {written}). Upgrade "
            "sscard.",
        )

    def keep_session(self, operator: str, token: str) -> None:
        """Remember the session token of `operator` at this computer. Raises FileRefusedError."""
        self.make()
        write_whole(self._session_file(operator), token.encode(), mode=PRIVATE)

    def session(self, operator: str) -> str | None:
        """The session token of `operator`, None when not signed in here."""
        try:
            return self._session_file(operator).read_text()
        except FileNotFoundError:
            return None

    def drop_session(self, operator: str) -> None:
        self._session_file(operator).unlink(missing_ok=True)

    def _session_file(self, operator: str) -> Path:
        # Quoted and with a suffix: no name, however odd, leads out of the folder.
        return self.sessions / f"{quote(operator, safe='')}.session"
