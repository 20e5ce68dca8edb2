"""A connector that logs any text at any level, and has a bug whose error contains a value of a record."""

import json
import logging
import os
import warnings
from collections.abc import Iterator
from typing import Any

from plait.plugin import Connector, Driver, Options, hookimpl

library = logging.getLogger("some.library")


class Careless(Options, frozen=True, kw_only=True):
    """No options."""


class Chatter(Driver[Careless]):
    dated = False

    def accepts(self, uri: str) -> bool:
        return True

    def list(self, window: Any) -> Iterator[Any]:
        return iter(())

    def read(self, items: Any) -> Iterator[Any]:
        for number, text in enumerate(json.loads(os.environ["TEXTS"])):
            self.context.log.log(10 * number + 10, text)
            library.debug("asked %s", text)
            library.info(text, 1, extra={"answer": text, "odd": object()})
            warnings.warn(text, stacklevel=1)
        try:
            raise KeyError("value-of-an-order")  # noqa: TRY301 - it is the cause
        except KeyError as error:
            self.context.log.exception("it failed")
            raise ValueError("value-of-an-order") from error


@hookimpl
def plait_connectors() -> Any:
    return [Connector("careless", "x", Careless, driver=Chatter)]
