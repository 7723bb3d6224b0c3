"""The desk and the operators' API over an opened installation, within the limits of a request."""

from starlette.types import ASGIApp

from issuance.console.app import LARGER_BODIES, create_console
from issuance.installation import Installation
from scan_api.clock_watch import ClockWatch
from scan_api.limits import RequestLimits
from scan_api.pages.site import Site
from scan_api.security_headers import SecurityHeaders


def make_console(site: Installation, clock: ClockWatch) -> ASGIApp:
    app = create_console(
        site.kernel,
        pepper=site.pepper,
        profile=site.profile,
        clock=clock.now,
        site=Site("issuance.console.pages"),
    )
    return SecurityHeaders(RequestLimits(app, LARGER_BODIES))
