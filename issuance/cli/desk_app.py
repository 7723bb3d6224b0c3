"""The desk and the operators' API over an opened installation, within the limits of a request."""

from starlette.types import ASGIApp

from issuance.console.app import LARGER_BODIES, create_console
from issuance.installation import Installation
from scan_api.clock_watch import ClockWatch
from scan_api.limits import RequestLimits
from scan_api.overload import Admission, Overload
from scan_api.pages.site import Site
from scan_api.request_log import RequestLines, RequestLog
from scan_api.security_headers import SecurityHeaders


def make_admission() -> Admission:
    """How much a console takes on at a time: all its requests have the places that the service has
    for people, of which long work takes none away."""
    admission = Admission()
    admission.scans = admission.others
    return admission


def make_console(site: Installation, clock: ClockWatch, admission: Admission) -> ASGIApp:
    """admission: how much it takes on at a time; what is more is told to come again (503).

    As in the service, a body is read before a place is taken, and each request has its line.
    """
    app = create_console(
        site.kernel,
        pepper=site.pepper,
        profile=site.profile,
        clock=clock.now,
        site=Site("issuance.console.pages"),
    )
    limited = RequestLimits(Overload(app, admission), LARGER_BODIES)
    return SecurityHeaders(RequestLog(limited, RequestLines(admission.metrics)))
