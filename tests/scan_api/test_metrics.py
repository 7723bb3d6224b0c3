"""The numbers, added up over processes and read back by Prometheus's own parser."""

import time

import pytest
from prometheus_client.parser import text_string_to_metric_families
from scan_service import ScanService

from scan_api.metrics import LATENCY_BOUNDS_SECONDS, Histogram, Metrics, add, to_text
from scan_api.overload import Admission

COUNTED_SECONDS_MAX = 20


def samples(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text.decode())
        for one in family.samples
    }


def test_a_value_falls_under_the_first_bound_that_is_not_below_it() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 2.0, 2.5, 9.0):
        histogram.add(value)
    assert (histogram.counts, histogram.total) == ([2, 2, 2], 16.5)


def test_the_processes_are_summed_and_those_that_ended_are_not_forgotten() -> None:
    workers = [Metrics() for _ in range(3)]
    for number, worker in enumerate(workers, 1):
        for _ in range(number):
            worker.add_request("POST", "/v1/scans", 200, 0.002)
            worker.add_scan("accepted", "accepted", "02121", "online_code")
        worker.add_request("GET", "none", 404, 7.0)
        worker.add_group(number, 0.004)
        worker.add_refusal("queue")
        worker.gauges["scans_running"] = lambda number=number: number  # type: ignore[misc]
    first, second, ended = (worker.snapshot() for worker in workers)
    found = samples(to_text({"0": first, "1": second}, past=add([ended])))
    route = ("route", "/v1/scans")
    assert found["sscard_requests_total", (("method", "POST"), route, ("status", "200"))] == 6
    assert found["sscard_requests_total", (("method", "GET"), ("route", "none"), ("status", "404"))]
    scan = {
        "outcome": "accepted",
        "reason": "accepted",
        "business_type": "02121",
        "medium": "online_code",
    }
    assert found["sscard_scans_total", tuple(sorted(scan.items()))] == 6
    assert found["sscard_refused_total", (("place", "queue"),)] == 3
    assert found["sscard_request_seconds_bucket", (("le", "0.001"), route)] == 0
    assert found["sscard_request_seconds_bucket", (("le", "0.0025"), route)] == 6
    assert found["sscard_request_seconds_bucket", (("le", "2.5"), ("route", "none"))] == 0
    assert found["sscard_request_seconds_count", (("route", "none"),)] == 3
    assert found["sscard_request_seconds_sum", (route,)] == pytest.approx(0.012)
    assert found["sscard_group_scans_sum", ()] == 6
    assert found["sscard_group_seconds_count", ()] == 3
    assert found["sscard_scans_running", (("worker", "1"),)] == 2
    assert len(add([first])["latencies"][0][1]) == len(LATENCY_BOUNDS_SECONDS) + 1


def test_the_service_counts_routes_and_nothing_that_was_typed(service: ScanService) -> None:
    canary = "110101199003074477"
    for path in ("/healthz", f"/{canary}", f"/v1/{canary}?x={canary}"):
        service.http.get(path)
    service.http.request(canary, "/healthz")
    code = service.mint()
    for _ in range(2):
        service.scan(service.pharmacy, code)
    admission: Admission = next(
        one.kwargs["admission"]  # type: ignore[misc]
        for one in service.app.user_middleware
        if "admission" in one.kwargs
    )
    # The thread that commits counts after it has answered.
    until = time.monotonic() + COUNTED_SECONDS_MAX
    while len(service.services.writer.metrics.snapshot()["scans"]) < 2:
        assert time.monotonic() < until, "the verdicts were not counted"
        time.sleep(0.01)
    text = to_text(
        {"0": admission.metrics.snapshot(), "1": service.services.writer.metrics.snapshot()}
    )
    assert canary.encode() not in text
    found = samples(text)
    labels = (("method", "POST"), ("route", "/v1/scans"), ("status", "200"))
    assert found["sscard_requests_total", labels] == 2
    verdicts = {
        dict(key[1])["reason"]: (dict(key[1])["medium"], value)
        for key, value in found.items()
        if key[0] == "sscard_scans_total"
    }
    assert verdicts == {"accepted": ("online_code", 1), "already_used": ("online_code", 1)}
    assert found["sscard_group_scans_sum", ()] == 2
    assert found["sscard_group_seconds_count", ()] == 2
    assert found["sscard_requests_total", (("method", "GET"), ("route", "none"), ("status", "404"))]
    assert ("sscard_scans_running", (("worker", "0"),)) in found
