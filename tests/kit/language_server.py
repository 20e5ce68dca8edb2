"""A language server over stdio: the part of an editor that asks it about one file."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Any, Self

from kit.tables import table

LONGEST = 300  # seconds after which a server that answers nothing is ended, and the test with it
CLIENT = table("language_client.yaml")
SETTINGS, ABILITIES = CLIENT["settings"], CLIENT["abilities"]


class LanguageServer:
    """Speaks the Language Server Protocol with a process; each answer is waited for by its id."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self.process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.end = Timer(LONGEST, self.process.kill)
        self.end.start()
        self.asked = 0
        self.diagnostics: dict[str, list[Any]] = {}
        root = folder.as_uri()
        self.ask("initialize", processId=None, rootUri=root, capabilities=ABILITIES, workspaceFolders=None)
        self.tell("initialized")
        self.tell("workspace/didChangeConfiguration", settings=SETTINGS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end.cancel()
        self.process.kill()
        self.process.communicate()

    def open(self, file: Path, text: str) -> None:
        """Show the server a text as what the editor has of the file."""
        document = {"uri": file.as_uri(), "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", textDocument=document)

    def ask(self, method: str, **params: Any) -> Any:
        """The result of a request; what the server asks meanwhile is answered, what it tells is kept."""
        self.asked += 1
        self._send(id=self.asked, method=method, params=params)
        while (message := self._receive()).get("id") != self.asked or "method" in message:
            self._take(message)
        assert "error" not in message, message
        return message["result"]

    def ask_at(self, method: str, file: Path, line: int, column: int) -> Any:
        """The result of a request about a place; lines and columns count from 0."""
        place = {"line": line, "character": column}
        return self.ask(method, textDocument={"uri": file.as_uri()}, position=place)

    def tell(self, method: str, **params: Any) -> None:
        """Send what has no answer."""
        self._send(method=method, params=params)

    def problems(self, file: Path) -> list[Any]:
        """What the server finds wrong with an open file, once it says so."""
        while file.as_uri() not in self.diagnostics:
            self._take(self._receive())
        return self.diagnostics[file.as_uri()]

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("method") == "textDocument/publishDiagnostics":
            self.diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "id" in message and "method" in message:
            self._send(id=message["id"], result=self._answer(message))

    def _answer(self, message: dict[str, Any]) -> Any:
        if message["method"] != "workspace/configuration":
            return None
        return [SETTINGS.get(item["section"]) for item in message["params"]["items"]]

    def _send(self, **message: Any) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
        self.process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the language server ended"
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        return message
