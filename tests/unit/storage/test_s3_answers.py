"""What S3 answers decides what becomes of a request: errors by their code, bodies that are cut, objects that are too large."""

from __future__ import annotations

import http.server
import threading
from typing import Any, cast

import pytest

from plait.plugin import GiveUp, Put, TryAgain


class Scripted(http.server.BaseHTTPRequestHandler):
    """Answers every request with the server's script, or cuts the body."""

    def do_GET(self) -> None:
        status, body, length = cast("Any", self.server).script
        self.send_response(status)
        self.send_header("Content-Length", str(length or len(body)))
        self.send_header("ETag", '"e"')
        self.send_header("Last-Modified", "Wed, 01 Jul 2026 00:00:00 GMT")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    do_PUT = do_GET  # noqa: N815 -- the name that http.server calls

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def scripted(s3: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scripted) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("PLAIT_BACKOFF", "0.01")
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("key", ["usual", "odd//key"])
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "AccessDenied", GiveUp),
        (403, "InvalidAccessKeyId", GiveUp),
        (400, "ExpiredToken", TryAgain),
        (301, "PermanentRedirect", GiveUp),
        pytest.param(503, "SlowDown", TryAgain, marks=pytest.mark.fault("P1")),
        (500, "InternalError", TryAgain),
    ],
)
def test_the_code_that_s3_answers_decides_what_an_error_means(
    scripted: Any, storage: Any, key: str, status: int, code: str, kind: Any
) -> None:
    scripted.script = status, f"<Error><Code>{code}</Code><Message>m</Message></Error>".encode(), None
    (answer,) = storage.get([f"s3://shop/{key}"])
    (written,) = storage.put([Put(uri=f"s3://shop/{key}", data=b"x")])
    assert (type(answer), type(written)) == (kind, kind)
    assert code in answer.message


@pytest.mark.fault("J2")
@pytest.mark.parametrize("key", ["usual", "odd//key"])
def test_a_body_that_is_cut_is_worth_another_try(scripted: Any, storage: Any, key: str) -> None:
    scripted.script = 200, b"half", 8
    (answer,) = storage.get([f"s3://shop/{key}"])
    assert type(answer) is TryAgain


@pytest.mark.fault("J3")
@pytest.mark.parametrize("key", ["usual", "odd//key"])
def test_an_object_above_the_limit_is_not_downloaded(scripted: Any, storage: Any, key: str) -> None:
    """Size and ETag come before the bytes, so the answer is there although a terabyte never comes."""
    scripted.script = 200, b"begin", 10**12
    (stored,) = storage.get([f"s3://shop/{key}"], limit=10**9)
    assert (stored.item.size, stored.item.etag, stored.data) == (10**12, "e", b"")
    scripted.script = 200, b"fits", None
    (stored,) = storage.get([f"s3://shop/{key}"], limit=4)
    assert (stored.item.size, stored.data) == (4, b"fits")
