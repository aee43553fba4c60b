"""A PostgreSQL server of the tests' own, on loopback, which goes with them."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from processes import free_port


class Server(NamedTuple):
    """`url` is that of the superuser, who has the password in it."""

    url: str
    folder: Path

    def query(self, statement: str) -> str:
        command = [str(binary("psql")), "--no-psqlrc", "--tuples-only", "--no-align", self.url]
        done = subprocess.run(
            [*command, "-c", statement], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()


def binary(name: str) -> Path | None:
    """A program of PostgreSQL: Debian keeps the newest of them off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    on_path = shutil.which(name)
    return found[-1] if found else Path(on_path) if on_path else None


def there() -> bool:
    return binary("initdb") is not None and binary("postgres") is not None


@contextmanager
def server(password: str) -> Iterator[Server]:
    """PostgreSQL refuses to run as root, so that it is then another user's."""
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    folder = Path(tempfile.mkdtemp(prefix="argosy-postgres-"))
    secret = folder / "password"
    secret.write_text(password)
    os.chown(folder, user.pw_uid, user.pw_gid)
    os.chown(secret, user.pw_uid, user.pw_gid)
    who: Any = {"user": user.pw_uid, "group": user.pw_gid} if os.geteuid() == 0 else {}
    options = ["--username=argosy", f"--pwfile={secret}", "--auth=scram-sha-256", "--no-sync"]
    data = folder / "data"
    subprocess.run(
        [str(binary("initdb")), *options, f"--pgdata={data}"],
        check=True,
        cwd=folder,
        capture_output=True,
        **who,
    )
    port = free_port()
    settings = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": folder}
    arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(binary("postgres")), "-D", str(data), "-c", "fsync=off", *arguments],
            cwd=folder,
            stdout=log,
            stderr=log,
            **who,
        )
    found = Server(f"postgresql://argosy:{password}@127.0.0.1:{port}/postgres", folder)
    try:
        wait(process, port, folder / "log")
        yield found
    finally:
        process.send_signal(signal.SIGINT)  # at once, whoever is connected
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    ready = [str(binary("pg_isready")), "-q", "-h", "127.0.0.1", "-p", str(port)]
    until = time.monotonic() + 60
    while subprocess.run(ready, check=False).returncode:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.1)
