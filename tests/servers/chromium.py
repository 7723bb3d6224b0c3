"""Debian's Chromium for the journeys in a browser, installed where it may be.

It is the one built without windows: each page costs a fifth of what it does where a window is drawn
around it, which nobody sees here.
"""

from pathlib import Path

from servers import debian

CHROMIUM = Path("/usr/bin/chromium-headless-shell")
PACKAGES = ("chromium-headless-shell", "fonts-noto-cjk")

# Nothing but the pages under test may be asked for, and no other process may be needed.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--in-process-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> Path:
    """The browser's path; installs it first where it is absent and this process may."""
    if not CHROMIUM.exists():
        debian.install(*PACKAGES, consequence="the browser journeys did not run")
    return CHROMIUM
