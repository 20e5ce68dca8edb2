"""Wrong settings of AWS are one line that names the variable, in our words and not a client's."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kit.documents import examples
from kit.tables import table
from plait.aws.clients import Clients
from plait.aws.environment import check_settings
from plait.plugin import GiveUp, Put, TryAgain
from plait.storage.objects import Storage

SPEC = """
plait: 1
name: orders
sources: {orders: {connector: json, path: "s3://shop-raw/orders/*.json", columns: {id: string}}}
sink: {connector: parquet, path: ./out}
"""
SOUND = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1"}
RUN, PREVIEW = ("run", "--all"), ("preview", "--object", "s3://shop-raw/orders/a.json")


@pytest.fixture
def plait(tmp_path: Path) -> Any:
    """Run `plait` with a spec and an environment of its own."""
    (tmp_path / "orders.yaml").write_text(SPEC, encoding="utf-8")
    plain = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}

    def run(command: tuple[str, ...], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).parent / "plait"), command[0], "orders.yaml", *command[1:]],
            env=plain | {"AWS_EC2_METADATA_DISABLED": "true", "PLAIT_TIMEOUT": "1"} | SOUND | environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


@pytest.mark.parametrize(
    ("command", "name", "text"),
    [
        (PREVIEW, "AWS_ENDPOINT_URL", "localhost:9000"),
        (RUN, "AWS_ENDPOINT_URL", ""),
        (PREVIEW, "AWS_REGION", "eu west"),
        (RUN, "AWS_ACCESS_KEY_ID", "key\n"),
    ],
)
def test_a_wrong_setting_is_one_problem_that_names_it(
    plait: Any, command: tuple[str, ...], name: str, text: str
) -> None:
    """With one thing to do, exit code 1, no traceback, and nothing of a client that broke off."""
    done = plait(command, {name: text})
    assert done.returncode == 1
    assert all(f"{words} `{name}`" in done.stderr for words in ("error[wrong-settings]:", "help: set"))
    assert not any(word in done.stderr for word in ("Traceback", "panick"))


def set_settings(patch: pytest.MonkeyPatch, **more: str) -> None:
    """Set the sound settings and some more."""
    for name, value in (SOUND | more).items():
        patch.setenv(name, value)


@pytest.mark.parametrize(("name", "text"), table("wrong_settings.yaml"))
def test_an_impossible_setting_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    """Before a client of boto3 or a store of obstore is made; the message has nothing of the value."""
    set_settings(monkeypatch, **{name: text})
    answers = [*Storage(_count).get(["s3://shop-raw/a"])]
    with pytest.raises(GiveUp) as raised:
        Clients(_count)("dynamodb")
    for error in (answers[0], raised.value):
        assert isinstance(error, GiveUp)
        assert error.code == "wrong-settings"
        assert error.message.startswith(f"`{name}` ")
        assert error.help
        assert not text.strip() or text.strip() not in error.message


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_every_client_takes_the_region_from_either_variable(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "eu-west-3")
    assert Clients(_count)("dynamodb").meta.region_name == "eu-west-3"
    monkeypatch.delenv(name)
    with pytest.raises(GiveUp, match="no region is set") as raised:
        Clients(_count)("dynamodb")
    assert raised.value.help == "set AWS_REGION"
    monkeypatch.setenv(name, "")
    with pytest.raises(GiveUp, match=f"`{name}` is empty"):
        Clients(_count)("dynamodb")


@pytest.mark.parametrize(
    "name", ["AWS_STS_REGIONAL_ENDPOINTS", "AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_DEFAULTS_MODE"]
)
def test_a_word_that_boto3_refuses_is_a_wrong_setting(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    set_settings(monkeypatch, **{name: "nonsense"})
    with pytest.raises(GiveUp) as raised:
        Clients(_count)("s3")
    assert raised.value.code == "wrong-settings"


def test_an_address_of_the_profile_that_is_none_is_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text(
        "[default]\nendpoint_url = nowhere\nregion = eu-west-1\n", encoding="utf-8"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with pytest.raises(GiveUp, match="settings of `dynamodb`") as raised:
        Clients(_count)("dynamodb")
    assert raised.value.help
    assert "endpoint_url" in raised.value.help


HOSTS = st.sampled_from(["127.0.0.1", "[::1]", "127.1", "0x7f.1", "-", "localhost"])
JUNK = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)


@given(st.sampled_from(["http", "https", "HTTP"]), HOSTS, JUNK | st.just(":1"), JUNK.map("/{}".format))
@example("http", "[::1]", "0", "/")
@examples(0.5)
def test_obstore_takes_every_address_that_we_take(scheme: str, host: str, port: str, path: str) -> None:
    """With anything behind the host, it is refused by name or nobody answers; obstore never panics."""
    address = f"{scheme}://{host}{port}{path}"
    with pytest.MonkeyPatch.context() as patch:
        set_settings(patch, AWS_ENDPOINT_URL=address, PLAIT_TIMEOUT="0.05", PLAIT_BACKOFF="0")
        try:
            check_settings()
        except GiveUp:
            return
        (answer,) = Storage(_count).get(["s3://shop-raw/a"])
        assert isinstance(answer, TryAgain), answer


@pytest.mark.parametrize("bucket", ["a b", "é", "a%b", "a@b", "a:b", "a?b"])
def test_a_name_that_no_bucket_can_have_is_named(monkeypatch: pytest.MonkeyPatch, bucket: str) -> None:
    """The error is about the name, not about the connection to S3."""
    set_settings(monkeypatch)
    (answer,) = Storage(_count).get([f"s3://{bucket}/a"])
    assert isinstance(answer, GiveUp)
    assert (answer.code, answer.help) == ("not-found", "check the bucket's name")


def test_a_panic_of_obstore_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Obstore panics by what is no `Exception`; the answer is an error like any other."""
    from obstore.store import S3Store

    def broken(bucket: str, _retry_policy: object) -> S3Store:
        limits: Any = {"retry_timeout": timedelta(seconds=1), "max_retries": 0}
        return S3Store(
            bucket, endpoint="nowhere", access_key_id="k", secret_access_key="s", retry_config=limits
        )

    monkeypatch.setattr("plait.storage.s3.open_store", broken)
    storage = Storage(_count)
    (answer,) = storage.get(["s3://shop-raw/a"])
    assert isinstance(answer, GiveUp)
    (written,) = storage.put([Put(uri="s3://shop-raw/a", data=b"")])
    assert isinstance(written, GiveUp)
    assert "broke off" in written.message


def _count(_operation: str, _calls: int) -> None:
    """Nothing is counted."""
