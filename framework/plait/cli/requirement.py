"""Where a new project installs plait from: a wheel, a revision, or an index that its user names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, unquote, urlsplit

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from plait import __version__
from plait.cli.failures import CannotStart

NAME_A_WHEEL = (
    "give the path or URL of a wheel, as `make wheel` in plait's repository makes it, or `--index-url`"
)
PATH_OF_THIS_MACHINE = (
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
    parts = _split_url(url, "--index-url")
    if parts.scheme not in ("https", "http", "file"):
        raise _refusal("`--index-url` is no URL of an index", "give one that begins with `https://`")
    return PlaitRequirement((f"--index-url={url}", f"plait=={__version__}"))


def require_wheel(text: str, folder: Path) -> PlaitRequirement:
    """A wheel by its path or URL, or a revision of a repository; `folder` is the project's.

    Raises CannotStart for anything that does not pin this version.
    """
    place = text.removeprefix("plait").lstrip().removeprefix("@").strip() if "://" in text else text
    if "://" not in place:
        return _require_file(Path(place), folder)
    parts = _split_url(place, "--plait")
    name = PurePosixPath(unquote(parts.path)).name
    if not parts.scheme.startswith("git+"):
        _check_wheel_name(name)
    elif not name.partition("@")[2]:
        message = "the URL of `--plait` names no revision"
        raise _refusal(message, "end it with `@` and a tag or a commit")
    return PlaitRequirement((f"plait @ {place}",))


def _require_file(path: Path, folder: Path) -> PlaitRequirement:
    _check_wheel_name(path.name)
    if not path.is_file():
        raise _refusal(f"there is no file `{path}`", NAME_A_WHEEL)
    wheel, project = path.resolve(), folder.resolve()
    if wheel.is_relative_to(project):
        return PlaitRequirement((f"./{wheel.relative_to(project).as_posix()}",), relative=True)
    return PlaitRequirement((f"plait @ {wheel.as_uri()}",), warning=PATH_OF_THIS_MACHINE)


def _check_wheel_name(name: str) -> None:
    try:
        distribution, version, _, _ = parse_wheel_filename(name)
    except InvalidWheelFilename:
        raise _refusal("`--plait` names no wheel and no revision of plait", NAME_A_WHEEL) from None
    if distribution != "plait":
        raise _refusal(f"`{name}` is no wheel of plait", NAME_A_WHEEL)
    if str(version) != __version__:
        message = f"`{name}` is not the plait that runs, which is {__version__}"
        raise _refusal(message, "run `plait init` with the plait of that wheel")


def _split_url(url: str, option: str) -> SplitResult:
    """The parts of a URL. No message repeats the URL, since it may hold a secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _refusal(f"the URL of `{option}` cannot be read", NAME_A_WHEEL) from None
    user = parts.username and not parts.scheme.endswith("ssh")
    if user or parts.password or parts.query:
        message = (
            f"the URL of `{option}` has a user, a password or a query, which would be written into files"
        )
        raise _refusal(message, "leave it out; pip takes a password from `.netrc` or a keyring")
    if not url.isprintable() or any(letter.isspace() for letter in url):
        raise _refusal(
            f"the URL of `{option}` has a space or a control character in it", "escape it as `%20`"
        )
    return parts


def _refusal(message: str, help: str) -> CannotStart:
    return CannotStart(message, code="usage", help=help)
