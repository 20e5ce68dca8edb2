"""Declarative extraction on AWS: `plait.load(spec).run()` braids the strands of a record into one row."""

from __future__ import annotations

from os import PathLike, fspath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from plait.engine.report import Report
    from plait.pipeline.invalid_spec import InvalidSpec
    from plait.pipeline.pipeline import Pipeline

__version__ = "0.1.0"
__all__ = ["InvalidSpec", "Pipeline", "Report", "load"]

_MODULES = {
    "InvalidSpec": "plait.pipeline.invalid_spec",
    "Pipeline": "plait.pipeline.pipeline",
    "Report": "plait.engine.report",
}


def load(
    spec: str | PathLike[str],
    *,
    env: Collection[str] | PathLike[str] = (),
    **parameters: str | PathLike[str],
) -> Pipeline:
    """Load a spec file for Python and notebooks; `env` names the environment variables that its parameters may read.

    A text is no such list, but the value of a parameter that is called `env`.

    Raises `plait.InvalidSpec` with every problem, and TypeError for a parameter that is neither a text nor a path.
    """
    from plait.pipeline.invalid_spec import InvalidSpec
    from plait.pipeline.pipeline import Pipeline

    if isinstance(env, (str, PathLike)):
        parameters, env = {**parameters, "env": env}, ()
    texts = {name: fspath(value) for name, value in parameters.items()}
    try:
        return Pipeline.load(fspath(spec), texts, env=env)
    except InvalidSpec as error:
        raise error.in_python() from None


if not TYPE_CHECKING:  # a type checker reads the imports above, and knows no other name

    def __getattr__(name: str) -> object:
        """Import a public class when it is first used, so that `import plait` stays cheap (PEP 562)."""
        if name not in _MODULES:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        from importlib import import_module

        return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
