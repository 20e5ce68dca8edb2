"""A secret is masked however it is shown, and no traceback has it, not even one that shows all local variables."""

import copy
import json
import pickle
import traceback
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.traceback import Traceback

from kit.stubs import Stub, free_port
from kit.watch.canaries import SECRET
from plait.engine.context import Services
from plait.plugin import GiveUp, Key, PlaitError, Secret, Secrets
from plait_connectors.mysql import MySQLLookup, MySQLOptions
from plait_sandbox.aws import LocalAws

JSON = st.recursive(
    st.text() | st.integers() | st.none(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
LOGIN = {"host": "127.0.0.1", "port": 1, "dbname": "stores"} | {
    name: f"{SECRET}{name}" for name in ("username", "password", "note")
}


@pytest.mark.fault("S10")
@given(text=st.text())
def test_a_secret_is_shown_as_a_mask_and_only_a_call_returns_its_text(text: str) -> None:
    secret = Secret(text)
    assert secret.reveal() == text
    assert bool(secret) == bool(text)
    assert secret == Secret(text)
    assert secret != text
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret:>20}", f"{secret!r}"):
        assert shown.replace("***", "").strip() == ""
    assert not hasattr(secret, "__dict__")
    assert copy.deepcopy([secret]) == [secret]


@pytest.mark.fault("S10")
@given(values=st.dictionaries(st.text(), JSON))
def test_each_text_of_a_mapping_however_deep_is_masked(values: dict[str, Any]) -> None:
    def plain(value: Any) -> Any:
        if isinstance(value, Secrets):
            return {name: plain(element) for name, element in value.items()}
        if isinstance(value, tuple):
            return [plain(element) for element in value]
        assert not isinstance(value, str)
        return value.reveal() if isinstance(value, Secret) else value

    secrets = Secrets(values)
    assert plain(secrets) == values
    assert f"{secrets} {secrets!r}" == "*** ***"


@pytest.mark.fault("S10")
@pytest.mark.parametrize("secret", [Secret(f"{SECRET}1"), Secrets({"password": f"{SECRET}1"})])
@pytest.mark.parametrize("write", [pickle.dumps, json.dumps, msgspec.json.encode, msgspec.to_builtins])
def test_no_secret_is_written_by_accident(secret: Any, write: Any) -> None:
    assert copy.copy(secret) is secret
    with pytest.raises((TypeError, NotImplementedError)):
        write({"secret": secret})


def tracebacks(error: BaseException) -> str:
    """The traceback of an error as two libraries print it: with the locals of all frames but the test's, and all causes."""
    assert error.__traceback__ is not None
    place = error.__traceback__.tb_next
    console = Console(record=True, width=300, quiet=True)
    console.print(Traceback.from_exception(type(error), error, place, show_locals=True))
    plain = traceback.TracebackException(type(error), error, place, capture_locals=True)
    return console.export_text() + "".join(plain.format()) + repr((error.__cause__, error.__context__))


@pytest.mark.fault("S10")
@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"host": f"{SECRET}h.invalid"},
        {"port": f"{SECRET}p"},
        {"password": {"is": f"{SECRET}p"}},
        {"username": None},
    ],
)
def test_no_traceback_of_a_look_up_has_a_secret_though_it_shows_all_locals(wrong: dict[str, Any]) -> None:
    """Neither of our own frames nor of the driver's, nor in the driver's own words."""
    stub = Stub(secrets={"db": {**LOGIN, "port": free_port(), **wrong}})
    lookup = MySQLLookup(MySQLOptions(secret="db", table="stores", tls="off"), stub)
    with pytest.raises(PlaitError) as caught:
        lookup.fetch([Key(fields={"id": 1})])
    shown = tracebacks(caught.value)
    assert SECRET not in shown
    assert "_query_patiently" in shown


@pytest.mark.fault("S10")
@pytest.mark.parametrize("text", [f"{SECRET}no-json", f'["{SECRET}list"]', f'{{"password": "{SECRET}cut'])
def test_no_traceback_of_a_secret_that_is_no_mapping_has_it(text: str, at_aws: LocalAws) -> None:
    services, name = Services(), f"odd/{len(text)}"
    services.client("secretsmanager").create_secret(Name=name, SecretString=text)
    with pytest.raises(GiveUp, match="not a JSON mapping") as caught:
        services.secret(name)
    assert SECRET not in tracebacks(caught.value)
    with pytest.raises(GiveUp, match="ResourceNotFound") as caught:
        services.secret("none")
    assert caught.value.__cause__ is None
