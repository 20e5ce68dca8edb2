"""Every test starts from the same environment and leaves it as it was."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from plait.plugin import registry

pytest_plugins = [
    *(
        f"kit.{module}"
        for module in (
            "watch.workers",
            "watch.canaries",
            "watch.confinement",
            "servers.stand_ins",
            "servers.athena_lake",
            "console",
        )
    ),
    "reliability.results",
]
settings.register_profile("small", deadline=None, derandomize=True)
settings.register_profile("large", deadline=None, max_examples=1_000)
settings.register_profile("mutation", settings.get_profile("small"), phases=[Phase.explicit, Phase.generate])
settings.load_profile(os.environ.get("PLAIT_BUDGET", "small"))


def pytest_configure() -> None:
    """Allow as many open files as the machine does: proxies and stand-ins of one process hold thousands."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = 16_384 if most == resource.RLIM_INFINITY else min(most, 16_384)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


@pytest.fixture(scope="session", autouse=True)
def _nobodys_aws() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(autouse=True)
def _no_leaks(_nobodys_aws: None) -> Iterator[None]:
    before, folder = _environment(), Path.cwd()
    yield
    after = _environment()
    changed = sorted(name for name in before | after if before.get(name) != after.get(name))
    stayed = Path.cwd() == folder
    if registry._pinned:  # a function started in this process, with the connectors of its lock
        registry.pin(())
    os.chdir(folder)
    assert not changed, f"the test left these environment variables changed: {', '.join(changed)}"
    assert stayed, "the test left the working directory changed"


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
