"""What issuance refuses, each with a stable code and a sentence in Chinese and English.

    IssuanceError
    +-- SettingsError      an environment variable that can't be followed
    +-- HomeError          the home folder is missing, unfinished, taken or not ours
    +-- FileRefusedError   a file that can't be read or written
    +-- BatchError         a batch that isn't where the command needs it
    +-- EngineError        the engine over many machines can't be used as asked
    +-- SandboxError       the installation was not founded as a sandbox
    +-- CardFileError      a file of bank or maker that can't be used (issuance/card_files)
    +-- ElementError       a value that can't be written into a card or a file (likewise)

Rosters have a tree of their own (issuance/roster). Nothing here carries personal data or a secret.
"""


class IssuanceError(Exception):
    """An expected failure: what is wrong and what to do, for the person at the keyboard."""

    def __init__(self, code: str, message_zh: str, message_en: str) -> None:
        super().__init__(code)
        self.code = code
        self.message_zh = message_zh
        self.message_en = message_en


class SettingsError(IssuanceError):
    """A setting that can't be followed; nothing was started."""


class HomeError(IssuanceError):
    """The home folder can't serve; nothing was written into it."""


class FileRefusedError(IssuanceError):
    """A file can't be read or written as asked."""


class BatchError(IssuanceError):
    """The batch isn't in the state that the command needs."""


class EngineError(IssuanceError):
    """Scheduler or workers can't be reached, or would be reached by too many."""


class SandboxError(IssuanceError):
    """What only a sandbox does was asked of another installation; nothing was done."""
