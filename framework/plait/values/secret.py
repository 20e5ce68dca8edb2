"""Secrets: masked however they are shown; only an explicit call returns their text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Never, final

MASK = "***"


class Masked:
    """A value shown as `***`; a copy is the value itself, and `pickle` and encoders of JSON refuse it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return MASK

    def __format__(self, _spec: str) -> str:
        return MASK

    def __reduce_ex__(self, _protocol: object) -> Never:
        raise TypeError("a secret is not written anywhere")

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, _memo: object) -> Any:
        return self


@final
class Secret(Masked):
    """A text of a secret."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.__text == other.__text

    def __hash__(self) -> int:
        return hash((Secret, self.__text))

    def __bool__(self) -> bool:
        return bool(self.__text)

    def reveal(self) -> str:
        """The text. Call this within the call of the driver that takes it: a local variable would show in a traceback."""
        return self.__text


@final
class Secrets(Masked, Mapping[str, Any]):
    """A secret that is a mapping: each text in it, however deep, is a `Secret`; numbers, true, false and null are not."""

    __slots__ = ("__values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__values = {name: _masked(value) for name, value in values.items()}

    def __getitem__(self, name: str) -> Any:
        return self.__values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.__values)

    def __len__(self) -> int:
        return len(self.__values)


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return Secret(value)
    if isinstance(value, Mapping):
        return value if isinstance(value, Secrets) else Secrets(value)
    return tuple(map(_masked, value)) if isinstance(value, (list, tuple)) else value
