"""What the commands of the engine over many machines refuse, before anything listens."""

import sys

import pytest
from office import Office, refused

import issuance
from issuance.errors import SettingsError
from issuance.settings import EngineCertificate, Settings

ANYWHERE = "tcp://0.0.0.0:8786"


@pytest.mark.parametrize("command", ["engine-scheduler", "engine-worker"])
def test_nothing_listens_beyond_the_loopback_without_certificates(
    office: Office, command: str
) -> None:
    refused(
        office.run(command, ANYWHERE), "只能用于本机回环地址", "is for this machine's 127.0.0.1"
    )
    answer = office.run(command, "tls://192.0.2.1:8786")
    refused(answer, "SSCARD_ENGINE_CA_FILE", "SSCARD_ENGINE_CA_FILE")


def test_a_worker_needs_a_database_that_takes_many_writers(office: Office) -> None:
    result = office.run("engine-worker", "tcp://127.0.0.1:8786")
    refused(result, "多机发卡需要 PostgreSQL", "Many machines need PostgreSQL")


def test_a_batch_goes_to_no_scheduler_that_anybody_may_reach(office: Office) -> None:
    roster = office.file("good.csv", GOOD)
    office.done("roster", "import", str(roster), operator="wang")
    office.done("batch", "approve", "good", "--yes", operator="li")
    result = office.run("batch", "issue", "good", "--scheduler", ANYWHERE, operator="wang")
    refused(result, "只能用于本机回环地址", "is for this machine's 127.0.0.1")


def test_where_the_extra_is_missing_it_is_said(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "issuance.cluster", raising=False)
    monkeypatch.delattr(issuance, "cluster", raising=False)
    result = office.run("engine-scheduler", "tcp://127.0.0.1:8786")
    refused(result, "请安装 sscard[dask]", "install sscard[dask]")


def test_the_three_files_go_together() -> None:
    names = [f"SSCARD_ENGINE_{name}_FILE" for name in ("CA", "CERTIFICATE", "KEY")]
    whole = {name: f"/etc/sscard/{name}.pem" for name in names}
    found = Settings.from_environment(whole).engine_certificate
    assert isinstance(found, EngineCertificate)
    assert [str(one) for one in (found.ca_file, found.certificate_file, found.key_file)] == [
        *whole.values()
    ]
    assert Settings.from_environment({}).engine_certificate is None
    for name in names:
        with pytest.raises(SettingsError) as caught:
            Settings.from_environment({one: path for one, path in whole.items() if one != name})
        assert caught.value.code == "engine_certificate_incomplete"


GOOD = (
    "姓名,证件类型,证件号码,性别,民族,出生日期,手机号码,通讯地址,户籍行政区划,申领类型,发卡银行,"
    "领卡网点,监护人姓名,监护人证件号码\n"
    "王秀英,居民身份证,110101199003070054,男,汉,1990-03-07,13800138000,广东省佛山市,440604,"
    "新申领,102,440604015,,\n"
)
