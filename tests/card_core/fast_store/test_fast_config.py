"""Addresses of the fast store: what is read, and that nothing else is."""

import pytest

from card_core.fast_store import FastStoreAddressError, FastStoreConfig, Mode
from card_core.fast_store.config import Address


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("process:", FastStoreConfig(Mode.PROCESS)),
        ("redis://host", FastStoreConfig(Mode.SINGLE, (Address("host", 6379),))),
        (
            "rediss://u%40x:p%2Fw@host:7000/3?answer_ms=250&ca_file=/etc/ca.pem",
            FastStoreConfig(
                Mode.SINGLE,
                (Address("host", 7000),),
                username="u@x",
                password="p/w",
                database=3,
                tls=True,
                ca_file="/etc/ca.pem",
                answer_seconds=0.25,
            ),
        ),
        ("redis://[::1]:7000", FastStoreConfig(Mode.SINGLE, (Address("::1", 7000),))),
        (
            "redis://:secret@host",
            FastStoreConfig(Mode.SINGLE, (Address("host", 6379),), password="secret"),
        ),
        (
            "unix:///run/r.sock?db=2",
            FastStoreConfig(Mode.SINGLE, (Address("/run/r.sock", 0),), database=2),
        ),
        (
            "redis+sentinel://u:p@a,b:1/codes/1?sentinel_password=q",
            FastStoreConfig(
                Mode.SENTINEL,
                (Address("a", 26379), Address("b", 1)),
                service="codes",
                username="u",
                password="p",
                sentinel_password="q",
                database=1,
            ),
        ),
        (
            "rediss+cluster://a,b:1",
            FastStoreConfig(Mode.CLUSTER, (Address("a", 6379), Address("b", 1)), tls=True),
        ),
    ],
)
def test_what_is_read(address: str, expected: FastStoreConfig) -> None:
    assert FastStoreConfig.parse(address) == expected


@pytest.mark.parametrize(
    "address",
    [
        "",
        "process",
        "process:1",
        "http://host",
        "redis:",
        "redis://",
        "redis://a,b",
        "redis://host:port",
        "redis://host:70000",
        "redis://host/16",
        "redis://host/-1",
        "redis://host/0/1",
        "redis://host#x",
        "redis://host?what=1",
        "redis://host?answer_ms=5",
        "redis://host?answer_ms=x",
        "redis+process://host",
        "redis+sentinel://host",
        "redis+cluster://host/1",
        "unix://host/path",
        "unix://",
        "unix+cluster:///path",
        "redis://host\n",
        "redis://" + "a" * 3000,
        "redis+cluster://" + ",".join(["a"] * 33),
    ],
)
def test_what_is_not(address: str) -> None:
    with pytest.raises(FastStoreAddressError) as caught:
        FastStoreConfig.parse(address)
    assert "redis://" in caught.value.message_zh


def test_a_password_is_shown_nowhere() -> None:
    address = "redis+sentinel://u:hidden-one@a/codes?sentinel_password=hidden-two"
    assert "hidden" not in repr(FastStoreConfig.parse(address))
    with pytest.raises(FastStoreAddressError) as caught:
        FastStoreConfig.parse(address + "&what=1")
    assert "hidden" not in str(caught.value)
