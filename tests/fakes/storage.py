"""Keeping state over a restart: JSON files replaced whole, at most once in a while."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Saver:
    """Writes what changed within a second of a change, and at the end."""

    def __init__(self, folder: Path, snapshot: Callable[[], dict[str, Any]], wait_s: float = 0.5) -> None:
        self.folder = folder
        self._snapshot = snapshot
        self._wait_s = wait_s
        self._dirty = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._writing = threading.Lock()

    def load(self) -> dict[str, Any]:
        """File name -> JSON of everything written before."""
        files = self.folder.glob("*.json") if self.folder.exists() else ()
        return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(files)}

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._thread = threading.Thread(target=self._run, daemon=True, name="sandbox-saver")
        self._thread.start()

    def mark(self) -> None:
        self._dirty.set()

    def stop(self) -> None:
        self._stop.set()
        self._dirty.set()
        if self._thread:
            self._thread.join(timeout=30)
        self.save()

    def save(self) -> None:
        with self._writing:
            for name, content in self._snapshot().items():
                path = self.folder / f"{name}.json"
                draft = path.with_suffix(".tmp")
                with draft.open("w", encoding="utf-8") as file:
                    file.write(json.dumps(content, separators=(",", ":")))
                    file.flush()
                    os.fsync(file.fileno())
                draft.replace(path)

    def _run(self) -> None:
        wait = self._wait_s
        while not self._stop.is_set():
            self._dirty.wait()
            self._stop.wait(wait)
            self._dirty.clear()
            started = time.perf_counter()
            self.save()
            # With very many members a save takes long: leave most of the time to the callers.
            wait = max(self._wait_s, 5 * (time.perf_counter() - started))
