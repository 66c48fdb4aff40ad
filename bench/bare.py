"""The least that a Sync can take: the same bodies, in the same order, to the same vendor, and nothing else.

`python -m bench.bare SANDBOX FILE` prints the seconds; the file has one body a line.
"""

import hashlib
import json
import sys
import time
from pathlib import Path

import requests


def main(sandbox: str, file: str) -> float:
    """Send everything; people go to the audience, a body with a name makes the tag."""
    key = hashlib.md5(b"river sandbox key", usedforsecurity=False).hexdigest() + "-us21"
    base = f"{sandbox}/us21/3.0/lists"
    with requests.Session() as session:
        session.headers.update({"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
        audience = session.get(base, params={"fields": "lists.id"}).json()["lists"][0]["id"]
        bodies = Path(file).read_bytes().splitlines()
        started = time.perf_counter()
        for body in bodies:
            where = f"{base}/{audience}/segments" if body.startswith(b'{"name"') else f"{base}/{audience}"
            answer = session.post(where, data=body)
            answer.raise_for_status()
            answer.json()
        return time.perf_counter() - started


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
