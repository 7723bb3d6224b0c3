"""The programs of crypto/native/leaks, built like the wheel: the same profile, the same flags."""

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]


def build(program: str, *features: str) -> Path:
    """Build one program with the feature of its name and others, and return its path."""
    command = ["cargo", "build", "--release", "--locked", "--quiet", "--message-format=json"]
    options = ["--package", "sscard-sm-leaks", "--bin", program]
    options += ["--features", ",".join((program, *features))]
    done = subprocess.run([*command, *options], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    return next(Path(found) for message in messages if (found := message.get("executable")))
