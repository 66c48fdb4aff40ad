"""What every sandbox vendor shares: faults, latency, the call log, the gate and control addresses.

A vendor subclasses ``Sandbox`` and fills in the methods that raise NotImplementedError.
The server (server.py) calls ``respond`` for each request; control.py serves ``/_sandbox/``.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Request, Response

from tests.fakes import control
from tests.fakes.calls import CallLog, Gate
from tests.fakes.delivery import Courier
from tests.fakes.faults import INSTEAD, Faults, SpoiledResponse
from tests.fakes.storage import Saver


class Sandbox:
    """One vendor on one port."""

    key = "sandbox"
    title = "Sandbox"
    options: Any = None

    def __init__(self, *, state_dir: Path | str | None = None, latency_ms: float = 0.0, connections: int = 10) -> None:
        self.url = ""
        self.base_latency_ms = latency_ms
        self.calls = CallLog()
        self.faults = Faults()
        self.gate = Gate(connections)
        self.courier = Courier()
        self.clock_ahead_s = 0.0
        folder = Path(state_dir) / self.key if state_dir else None
        self.saver = Saver(folder, self.snapshot) if folder else None

    # -- what a vendor fills in ---------------------------------------------------------------

    def is_api(self, path: str) -> bool:
        """Whether faults, latency and the gate apply to this path."""
        raise NotImplementedError

    def meets_faults(self, path: str) -> bool:
        """Whether a fault may strike this API path."""
        return True

    def identify(self, request: Request) -> str:
        """Whose call this is, or "" when unknown."""
        raise NotImplementedError

    def answer(self, request: Request) -> Response:
        """Do what an API call asks."""
        raise NotImplementedError

    def page(self, request: Request) -> Response:
        """Everything a person looks at, the sign-in pages included."""
        raise NotImplementedError

    def problem(self, kind: str) -> Response:
        """This vendor's wording of "401", "429", "500" and "connections"."""
        raise NotImplementedError

    def register_redirect(self, uri: str) -> None:
        """Let the vendor's OAuth app send people back to this address."""
        raise NotImplementedError

    def act(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Do what a person or an account holder would do in the vendor's own pages."""
        raise NotImplementedError

    def state(self, query: dict[str, str]) -> dict[str, Any]:
        """Everything held, as JSON."""
        raise NotImplementedError

    def snapshot(self) -> dict[str, Any]:
        """What to write down: file name -> JSON. Only the parts that changed."""
        raise NotImplementedError

    def reset(self) -> None:
        """Back to the seed."""
        raise NotImplementedError

    # -- life ---------------------------------------------------------------------------------

    def start(self) -> None:
        if self.saver:
            self.saver.start()

    def stop(self) -> None:
        self.courier.stop()
        if self.saver:
            self.saver.stop()

    def now(self) -> float:
        return time.time() + self.clock_ahead_s

    def changed(self) -> None:
        """Something worth keeping has happened."""
        if self.saver:
            self.saver.mark()

    # -- one request --------------------------------------------------------------------------

    def respond(self, request: Request) -> Response:
        if request.path.startswith("/_sandbox"):
            return control.respond(self, request)
        if not self.is_api(request.path):
            return self.page(request)
        started = time.perf_counter()
        account = self.identify(request)
        if account and not self.gate.enter(account):
            response, fault = self.problem("connections"), ""
            return self._logged(request, response, account, fault, started)
        try:
            response, fault = self._fallible(request)
        except BaseException:
            self._leave(account)
            raise
        if isinstance(response, SpoiledResponse):
            # A call that is still dribbling keeps its place, as it does at the vendor.
            response.call_on_close(lambda: self._leave(account))
        else:
            self._leave(account)
        return self._logged(request, response, account, fault, started)

    def _fallible(self, request: Request) -> tuple[Response, str]:
        faults = self.faults
        path = request.path
        fault = faults.draw(request.method, path) if self.meets_faults(path) else ""
        if latency := self.base_latency_ms + faults.latency_ms:
            time.sleep(latency / 1000)
        if fault in INSTEAD:
            return faults.instead(fault, self.problem), fault
        response = self.answer(request)
        return (faults.spoil(fault, response, self.problem) if fault else response), fault

    def _leave(self, account: str) -> None:
        if account:
            self.gate.leave(account)

    def _logged(self, request: Request, response: Response, account: str, fault: str, started: float) -> Response:
        wire = getattr(response, "wire", None)
        self.calls.add(
            {
                "method": request.method,
                "path": request.path,
                "query": self.loggable_query(request),
                "status": 0 if wire and wire.kind in ("hang", "cut") else response.status_code,
                "at": round(self.now(), 3),
                "account": account,
                "fault": fault,
                "ms": round((time.perf_counter() - started) * 1000, 2),
            }
        )
        return response

    def loggable_query(self, request: Request) -> str:
        """The query string as the log may show it."""
        return request.query_string.decode("latin-1")
