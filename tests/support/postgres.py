"""A PostgreSQL server of a test's own, on loopback, that can be stopped and started."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PASSWORD = "geheim-9f3k/q7 z?"
"""Not fit for a URL as it is, on purpose."""
QUOTED = "geheim-9f3k%2Fq7%20z%3F"

_numbers = itertools.count(1)


def programs() -> Path | None:
    """The folder of the newest server's programs; None where there is no server."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name), default=None)


class Postgres:
    """A server below ``folder``, owned by a user who may run one (it refuses to be run by root)."""

    def __init__(self, bin: Path, folder: Path) -> None:
        self._bin = bin
        self._folder = folder
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            import pwd

            names = {entry.pw_name for entry in pwd.getpwall()}
            owner = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            self._user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        secret = folder / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        secret.chmod(0o644)
        options = ["--encoding=UTF8", "--locale=C", "--no-sync", "--auth=scram-sha-256", "--username=tester"]
        self._call("initdb", "--pgdata", folder / "data", *options, f"--pwfile={secret}")

    def _call(self, program: str, *args: object) -> None:
        done = subprocess.run(
            [str(self._bin / program), *map(str, args)],
            cwd=self._folder,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=60,
            check=False,
            **self._user,
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        # It is processes that die here, not machines.
        options = (
            f"-p {self.port} -c fsync=off -c listen_addresses=127.0.0.1 -c unix_socket_directories='{self._folder}'"
        )
        data, log = self._folder / "data", self._folder / "log"
        self._call("pg_ctl", "start", "--wait", "--pgdata", data, "--log", log, "-o", options)

    def stop(self, mode: str = "fast") -> None:
        """``fast`` breaks connections and closes down in order, ``immediate`` leaves it to be recovered."""
        self._call("pg_ctl", "stop", "--wait", "--pgdata", self._folder / "data", "--mode", mode)

    def url(self, database: str, *, port: int | None = None, password: str = QUOTED) -> str:
        return f"postgresql+psycopg://tester:{password}@127.0.0.1:{port or self.port}/{database}"

    def new_database(self) -> str:
        """The URL of a database that nobody has used."""
        import psycopg

        name = f"test{next(_numbers)}"
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="tester", password=PASSWORD, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)


@contextmanager
def server(bin: Path) -> Iterator[Postgres]:
    """A server that runs when the block begins, and is gone when it has ended."""
    folder = Path(tempfile.mkdtemp(prefix="aigc_evals_pg_"))
    try:
        made = Postgres(bin, folder)
        made.start()
        try:
            yield made
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                made.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
