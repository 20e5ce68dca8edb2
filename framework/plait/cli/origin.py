"""Where a new project installs plait from: a wheel, a revision, or an index that its user names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, unquote, urlsplit

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from plait import __version__
from plait.cli.common import CannotStart

PLACES = "give the path or URL of a wheel, as `make wheel` in plait's repository makes it, or `--index-url`"
OF_THIS_MACHINE = (
    "the project's files name a path of this machine; other machines need the wheel in the project, or a URL"
)


@dataclass(frozen=True, slots=True)
class Origin:
    """What `pip install` is told, one argument a line; `relative` where that holds only in the project's folder."""

    arguments: tuple[str, ...]
    relative: bool = False
    warning: str | None = None


def index(url: str) -> Origin:
    """This version of plait from an index. Raises CannotStart where the URL is none or may hold a secret."""
    place = _split(url, "--index-url")
    if place.scheme not in ("https", "http", "file"):
        raise _refusal("`--index-url` is no URL of an index", "give one that begins with `https://`")
    return Origin((f"--index-url={url}", f"plait=={__version__}"))


def wheel(text: str, folder: Path) -> Origin:
    """A wheel by path or URL, or a revision of a repository. Raises CannotStart for anything that pins no version."""
    where = text.removeprefix("plait").lstrip().removeprefix("@").strip() if "://" in text else text
    if "://" not in where:
        return _file(Path(where), folder)
    place = _split(where, "--plait")
    name = PurePosixPath(unquote(place.path)).name
    if not place.scheme.startswith("git+"):
        _check_wheel(name)
    elif not name.partition("@")[2]:
        message = "the URL of `--plait` names no revision"
        raise _refusal(message, "end it with `@` and a tag or a commit")
    return Origin((f"plait @ {where}",))


def _file(path: Path, folder: Path) -> Origin:
    _check_wheel(path.name)
    if not path.is_file():
        raise _refusal(f"there is no file `{path}`", PLACES)
    resolved, root = path.resolve(), folder.resolve()
    if resolved.is_relative_to(root):
        return Origin((f"./{resolved.relative_to(root).as_posix()}",), relative=True)
    return Origin((f"plait @ {resolved.as_uri()}",), warning=OF_THIS_MACHINE)


def _check_wheel(name: str) -> None:
    try:
        distribution, version, _, _ = parse_wheel_filename(name)
    except InvalidWheelFilename:
        raise _refusal("`--plait` names no wheel and no revision of plait", PLACES) from None
    if distribution != "plait":
        raise _refusal(f"`{name}` is no wheel of plait", PLACES)
    if str(version) != __version__:
        message = f"`{name}` is not the plait that runs, which is {__version__}"
        raise _refusal(message, "run `plait init` with the plait of that wheel")


def _split(url: str, option: str) -> SplitResult:
    """The parts of a URL, which is not repeated in a message before it is known to hold no secret."""
    try:
        place = urlsplit(url)
    except ValueError:
        raise _refusal(f"the URL of `{option}` cannot be read", PLACES) from None
    user = place.username and not place.scheme.endswith("ssh")
    if user or place.password or place.query:
        message = (
            f"the URL of `{option}` has a user, a password or a query, which would be written into files"
        )
        raise _refusal(message, "leave it out; pip takes a password from `.netrc` or a keyring")
    if not url.isprintable() or any(letter.isspace() for letter in url):
        raise _refusal(
            f"the URL of `{option}` has a space or a control character in it", "escape it as `%20`"
        )
    return place


def _refusal(message: str, help: str) -> CannotStart:
    return CannotStart(message, code="usage", help=help)
