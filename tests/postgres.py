"""A real PostgreSQL of the tests' own, in a folder of its own, reached by a socket there, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Nothing has to outlive the tests, so nothing waits for the disk; no port, so none can be taken.
_OPTIONS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c listen_addresses='' -k {folder}"


def programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`: Debian keeps them off the path."""
    found = shutil.which("initdb")
    if found and Path(found).with_name("pg_ctl").exists():
        return Path(found).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


@contextmanager
def started(programs: Path) -> Iterator[str]:
    """The URLs of its databases, with `{name}` in place of the name."""
    folder = Path(tempfile.mkdtemp(prefix="referral-pg-"))
    data, person = folder / "data", _unprivileged(folder)

    def run(*command: str) -> None:
        subprocess.run([*person, *command], check=True, stdout=subprocess.DEVNULL, cwd=folder)

    initdb, pg_ctl = str(programs / "initdb"), str(programs / "pg_ctl")
    try:
        run(initdb, "-D", str(data), "-U", "referral", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = _OPTIONS.format(folder=folder)
        run(pg_ctl, "-D", str(data), "-l", str(folder / "log"), "-o", options, "-w", "start")
        try:
            yield f"postgresql://referral@/{{name}}?host={folder}"
        finally:
            run(pg_ctl, "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: then it runs as the person that Debian has made for it."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
