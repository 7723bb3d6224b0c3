"""The command `sscard`: one module a noun, put together in `commands`.

This package is the composition root: it reads the environment, opens keys and database, and is
the one part of issuance that imports scan_api, to start it.
"""

import sys

from issuance.cli.core_dumps import forbid_core_dumps
from issuance.garbage import collect_less


def main() -> None:
    """The console script. The commands take a second to import, and Ctrl-C is heard then, too."""
    forbid_core_dumps()
    collect_less()
    try:
        from issuance.cli.commands import app  # noqa: PLC0415 - see above

        for stream in (sys.stdout, sys.stderr):
            # A terminal with another encoding shows a question mark rather than failing.
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
        app()
    except ImportError as error:
        # The native core says in its own words that a SSCARD_ variable names nothing it has here.
        if not str(error).startswith("SSCARD_"):
            raise
        print(f"错误：环境变量的值无法识别，或本机处理器不支持。\nError: {error}", file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        # Without any randomness `crypto` can't be loaded, nor what explains errors otherwise.
        if getattr(error, "code", None) != "random_source":
            raise
        print(f"错误 Error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("已中断。\nInterrupted.", file=sys.stderr)
        sys.exit(130)
