"""Where a new project installs plait from: a wheel, a revision, or an index that its user names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from plait import __version__
from plait.cli.failures import CannotStart

WHEEL_HELP = (
    "give the path or URL of a wheel, as `make wheel` in plait's repository makes it, or `--index-url`"
)
URL = re.compile(r"(https?|file|git\+\w+)://[!-~]+")
LOCAL_WARNING = (
    "the project's files name a path of this machine; other machines need the wheel in the project, or a URL"
)


@dataclass(frozen=True, slots=True)
class PlaitRequirement:
    """The arguments for `pip install`, one a line; `relative` where they hold only in the project's folder."""

    arguments: tuple[str, ...]
    relative: bool = False
    warning: str | None = None


def require_from_index(url: str) -> PlaitRequirement:
    """This version of plait from an index. Raises CannotStart where `url` is no URL or may hold a secret."""
    _check_url(url, "--index-url")
    return PlaitRequirement((f"--index-url={url}", f"plait=={__version__}"))


def require_wheel(text: str, folder: Path) -> PlaitRequirement:
    """A wheel by its path or URL, or a revision of a repository; `folder` is the project's.

    Raises CannotStart for anything that does not pin this version.
    """
    if "://" in text:
        url = re.sub(r"^plait\s*@\s*", "", text)
        _check_url(url, "--plait")
        path = unquote(urlsplit(url).path)
        if not url.startswith("git+"):
            _check_wheel(PurePosixPath(path).name)
        elif "@" not in path:
            raise _refusal("the URL of `--plait` names no revision", "end it with `@` and a tag or a commit")
        return PlaitRequirement((f"plait @ {url}",))
    wheel, project = Path(text).resolve(), folder.resolve()
    _check_wheel(wheel.name)
    if not wheel.is_file():
        raise _refusal(f"there is no file `{text}`", WHEEL_HELP)
    if wheel.is_relative_to(project):
        return PlaitRequirement((f"./{wheel.relative_to(project).as_posix()}",), relative=True)
    return PlaitRequirement((f"plait @ {wheel.as_uri()}",), warning=LOCAL_WARNING)


def _check_wheel(name: str) -> None:
    try:
        distribution, version, _, _ = parse_wheel_filename(name)
    except InvalidWheelFilename:
        raise _refusal("`--plait` names no wheel and no revision of plait", WHEEL_HELP) from None
    if (distribution, str(version)) != ("plait", __version__):
        help = "run `plait init` with the plait of the wheel that you name"
        raise _refusal(f"`{name}` is no wheel of the plait that runs, which is {__version__}", help)


def _check_url(url: str, option: str) -> None:
    """Refuse what is no URL of one line, and what may hold a secret. No message repeats the URL."""
    if not URL.fullmatch(url) or "[" in url:
        raise _refusal(f"`{option}` is no URL", "begin it with `https://`, and escape a space as `%20`")
    parts = urlsplit(url)
    if parts.password or parts.query or (parts.username and parts.scheme != "git+ssh"):
        message = (
            f"the URL of `{option}` has a user, a password or a query, which would be written into files"
        )
        raise _refusal(message, "leave it out; pip takes a password from `.netrc` or a keyring")


def _refusal(message: str, help: str) -> CannotStart:
    return CannotStart(message, code="usage", help=help)
