"""No command shows a secret: a canary stands in every value of one, with all logging on."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from kit.oracle import oracle
from kit.shop import SPEC, queue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kit.shop import Shop

# One process runs many commands, each with a secret of its own, and tells what each of them said.
COMMANDS = """
import contextlib, io, json, logging, sys
import boto3
from plait.cli.main import main

def outputs_of(name, secret, arguments):
    client = boto3.client("secretsmanager")
    client.put_secret_value(SecretId=name, SecretString=json.dumps(secret))
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    logging.basicConfig(level=logging.DEBUG, stream=err, force=True)
    logging.getLogger("botocore").setLevel(logging.DEBUG)  # else bodies are held
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(arguments)
            code = 0
        except SystemExit as ended:
            code = ended.code
    logging.basicConfig(level=logging.WARNING, force=True)
    texts = {}
    for word, stream in (("out", out), ("err", err)):
        stream.flush()
        texts[word] = stream.buffer.getvalue().decode()
    return {"code": code, **texts}

json.dump([outputs_of(*command) for command in json.load(sys.stdin)], sys.stdout)
"""
HANDLER = """
import json, logging, sys
logging.basicConfig(level=logging.DEBUG)
logging.getLogger("botocore").setLevel(logging.DEBUG)
from plait.aws_lambda import handler
print(handler(json.load(sys.stdin)))
"""
NAME = "canary/stores-db"
USER, PASSWORD = "canary-secret-user", "canary-secret-password"
HIDDEN = [USER, PASSWORD, "canary-secret-note", "canary-secret-deep", "canary-secret-key"]
BODIES = "payload: whoever sets botocore's own level asks for bodies; for secrets the test looks itself"
Secret = dict[str, Any]


@pytest.fixture(scope="module")
def secret(shop: Shop) -> Iterator[Secret]:
    """Values of a secret, all canaries, with the login of a user who exists."""
    mysql, client = shop.sandbox.mysql, shop.sandbox.client("secretsmanager")
    mysql.execute(f"CREATE OR REPLACE USER `{USER}`@'{mysql.host}' IDENTIFIED BY '{PASSWORD}'")
    mysql.execute(f"GRANT SELECT ON stores.* TO `{USER}`@'{mysql.host}'")
    client.create_secret(Name=NAME, SecretString="{}")
    yield {
        "host": mysql.host,
        "port": mysql.port,
        "username": USER,
        "password": PASSWORD,
        "dbname": "stores",
        "note": HIDDEN[2],
        "more": {"deep": [HIDDEN[3]], HIDDEN[4]: 1},
    }
    mysql.execute(f"DROP USER `{USER}`@'{mysql.host}'")
    client.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=True)


def process(shop: Shop, code: str, standard_input: Any) -> subprocess.CompletedProcess[str]:
    """A process that gets JSON and writes below a lake of its own."""
    return subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={**shop.environment("secrets"), "SHOP_SECRET": NAME, "PLAIT_ENV_ALLOW": "RAW,LAKE,SHOP_SECRET"},
        input=json.dumps(standard_input),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def outputs_of(shop: Shop, runs: Sequence[tuple[Secret, Sequence[str]]]) -> list[Mapping[str, Any]]:
    """What each of these commands said, with all logging on, and its exit code."""
    ended = process(shop, COMMANDS, [(NAME, secret, arguments) for secret, arguments in runs])
    assert ended.returncode == 0, ended.stderr[-2000:]
    answers: list[Mapping[str, Any]] = json.loads(ended.stdout)
    return answers


def shown(*texts: str) -> list[str]:
    """The canaries in a text."""
    return [word for word in HIDDEN if any(word in text for text in texts)]


@pytest.mark.fault("S10")
@pytest.mark.shows_canaries(BODIES)
def test_no_command_shows_a_secret(shop: Shop, secret: Secret) -> None:
    """Neither in its answer nor in the logs of any library, though the stores were read by it."""
    runs = {
        ("validate", str(SPEC)): False,
        ("plan", str(SPEC)): False,
        ("plan", str(SPEC), "-o", "json"): False,
        ("preview", str(SPEC)): True,
        ("preview", str(SPEC), "-o", "json"): True,
        ("run", str(SPEC), "--all", "-o", "json"): True,
    }
    for (arguments, reads), answer in zip(
        runs.items(), outputs_of(shop, [(secret, command) for command in runs]), strict=True
    ):
        assert answer["code"] == 0, (arguments, answer["err"][-2000:])
        assert shown(answer["out"], answer["err"]) == [], arguments
        assert ("DEBUG:botocore.parsers" in answer["err"] and "GetSecretValue" in answer["err"]) == reads


WRONG: dict[str, Secret] = {
    "password": {"password": HIDDEN[2]},
    "username": {"username": HIDDEN[3]},
    "host": {"host": f"{HIDDEN[2]}.invalid"},
    "port": {"port": HIDDEN[3]},
    "nothing": {"host": None},
    "shape": {"password": {"is": HIDDEN[2]}},
}


@pytest.mark.fault("S10")
@pytest.mark.shows_canaries(BODIES)
def test_what_fails_because_of_a_secret_does_not_show_it(shop: Shop, secret: Secret) -> None:
    """A wrong value of any kind is one problem without any value of the secret."""
    key = min(oracle.expect(shop.sample).rows)
    arguments = ("preview", str(SPEC), "--object", f"s3://shop-raw/{key}")
    answers = outputs_of(shop, [({**secret, **wrong}, arguments) for wrong in WRONG.values()])
    for wrong, answer in zip(WRONG, answers, strict=True):
        assert shown(answer["out"], answer["err"]) == [], wrong
        assert answer["code"] == 1, (wrong, answer["err"][-2000:])
        assert answer["err"].count("error[") == 1
        assert "Traceback" not in answer["err"]


@pytest.mark.fault("S10")
@pytest.mark.shows_canaries(BODIES)
def test_the_function_does_not_log_a_secret(shop: Shop, secret: Secret) -> None:
    """With a log level of DEBUG, as it may be set for a function, and in no file that it writes."""
    client = shop.sandbox.client("secretsmanager")
    client.put_secret_value(SecretId=NAME, SecretString=json.dumps(secret))
    ended = process(shop, HANDLER, queue(shop.keys()))
    assert "'batchItemFailures': []" in ended.stdout, ended.stderr[-2000:]
    assert shown(ended.stdout, ended.stderr) == []
    for kind in ("extracted", "quarantine"):
        for data in shop.lake("secrets", kind).values():
            assert shown(data.decode("latin-1")) == []
