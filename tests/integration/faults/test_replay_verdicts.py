"""What `plait replay` does when S3 fails to remove a record: each cell of `replay` in `verdicts.yaml`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.faults.stage import ACTIONS, VERDICTS
from integration.faults.test_verdicts import ours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.faults.stage import Stage

TABLE = VERDICTS["replay"]
CELLS = [(failure, often, verdict) for failure, row in TABLE.items() for often, verdict in row.items()]
REMOVAL = "s3:DeleteObject"
SILENCE = "1.5"


@pytest.fixture
def mended(stage: Stage, calm: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The lake of a calm run, after which the bad order is a good one; the key of its record."""
    good, _, bad = (stage.shop.sample.objects[key] for key in stage.keys)
    place = {"Bucket": "shop-raw", "Key": f"faults/{stage.keys[2]}"}
    stage.begin(monkeypatch)
    stage.deliver()
    stage.proxy.reset()
    stage.shop.client.put_object(**place, Body=good)
    [record] = [key for key in calm if "/quarantine/" in key]
    yield record
    stage.begin(monkeypatch)
    stage.shop.client.put_object(**place, Body=bad)
    stage.deliver()  # the record tells when its order was put, so from here on another lake is that of a calm run
    calm.clear()
    calm.update(stage.lake())


@pytest.mark.parametrize(("failure", "often", "verdict"), CELLS)
def test_a_removal_that_fails_has_its_verdict(
    stage: Stage,
    calm: dict[str, str],
    mended: str,
    monkeypatch: pytest.MonkeyPatch,
    failure: str,
    often: str,
    verdict: str,
) -> None:
    """The rows are written in any case, nothing but the record is removed, and a calm replay has it removed."""
    when, action = ACTIONS[failure]
    stage.proxy.on(1, when, action("s3"), operation=REMOVAL, forever=often == "forever")
    with monkeypatch.context() as patch:
        patch.setenv("PLAIT_TIMEOUT", SILENCE if failure == "silent" else "30")
        ended = stage.command("replay")
    ours(stage, ended)
    records = ended.report["records"]
    assert (bool(ended.failures), records["failed"]) == ((False, 0) if verdict == "done" else (True, 1))
    errors = [problem for problem in ended.report["run"]["problems"] if problem["level"] == "error"]
    assert [bool(error["help"]) for error in errors if verdict == "failed"] == [True] * (verdict == "failed")
    rows = {key: digest for key, digest in calm.items() if key != mended}
    assert (mended in stage.lake()) <= (verdict != "done")
    stage.mend()
    assert stage.command("replay").failures == set()
    left = stage.lake()
    assert {key: left.get(key) for key in rows} == rows
    assert [key.split("/")[1] for key in left.keys() - rows.keys()] == ["extracted"]
    deleted = {request.path.partition("?")[0] for request in stage.proxy.log if "Delete" in request.operation}
    assert deleted == {f"/shop-lake/{mended}"}
