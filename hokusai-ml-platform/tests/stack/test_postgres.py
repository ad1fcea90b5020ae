import contextlib
import os
import stat
from contextlib import closing
from pathlib import Path

import psutil
import psycopg2
import pytest

from hokusai.errors import BackendUnavailableError, ConfigurationError
from hokusai.stack import start_postgres

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")


def query(sql, uri, *, fetch=True):
    with closing(psycopg2.connect(uri)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if fetch else None


def test_answers_sql(postgres_server):
    uri = postgres_server.uri
    query("CREATE TABLE waves (height int)", uri, fetch=False)
    query("INSERT INTO waves SELECT generate_series(1, 36)", uri, fetch=False)
    assert query("SELECT sum(height) FROM waves", uri) == [(666,)]


def test_is_version_18_in_utf8_with_the_user_and_database_of_the_specification(postgres_server):
    sql = "SELECT current_user, current_database(), current_setting('server_encoding')"
    assert query(sql, postgres_server.uri) == [("mlflow", "mlflow_db", "UTF8")]
    assert query("SHOW server_version", postgres_server.uri)[0][0].startswith("18.")
    assert postgres_server.env() == {"POSTGRES_URI": postgres_server.uri}


def test_is_reached_through_sqlalchemy_and_its_unix_socket(postgres_server):
    import sqlalchemy

    engine = sqlalchemy.create_engine(postgres_server.sqlalchemy_url)
    with engine.connect() as connection:
        by_tcp = connection.execute(sqlalchemy.text("SELECT pg_postmaster_start_time()")).scalar_one()
    engine.dispose()
    with (
        closing(
            psycopg2.connect(
                host=str(postgres_server.socket_dir),
                port=postgres_server.port,
                user=postgres_server.user,
                password=postgres_server.password,
                dbname=postgres_server.database,
            )
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT pg_postmaster_start_time(), inet_server_addr()")
        assert cursor.fetchone() == (by_tcp, None)


def test_refuses_a_wrong_password_and_shows_the_right_one_to_nobody(postgres_server):
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(postgres_server.uri.replace(postgres_server.password, "guessed"))
    assert postgres_server.password not in repr(postgres_server)
    said = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            said += child.cmdline()
    assert said
    assert postgres_server.password not in " ".join(said)


def test_stop_ends_it_with_open_sessions_and_removes_its_folder():
    running = start_postgres()
    family = [running.process.keeper_pid, running.process.pid]
    processes = [psutil.Process(pid) for pid in family]
    processes += processes[1].children(recursive=True)
    assert len(processes) > 4
    folder = running.process.log_path.parent
    with closing(psycopg2.connect(running.server.uri)):
        running.stop()
    assert not any(process.is_running() for process in processes)
    assert not folder.exists()


class TestFolder:
    """A lasting folder; pytest's own are closed to other users, as `/root` is."""

    def test_data_and_password_outlive_the_server(self, tmp_path):
        folder = tmp_path / "postgres"
        with start_postgres(folder=folder, user="ho-ku", database='sai "1"') as first:
            query("CREATE TABLE kept AS SELECT 36 AS views", first.uri, fetch=False)
            assert query("SHOW fsync", first.uri) == [("on",)]
        with start_postgres(folder=folder, user="ho-ku", database='sai "1"') as second:
            assert query("SELECT views FROM kept", second.uri) == [(36,)]
        assert second.password == first.password
        assert stat.S_IMODE((folder / "password").stat().st_mode) == 0o600
        assert not (folder / "first_password").exists()

    def test_of_another_password_is_said_to_be_so(self, tmp_path):
        start_postgres(folder=tmp_path / "postgres", password="first").stop()
        with pytest.raises(ConfigurationError, match="password given for 'mlflow' is not that of the data"):
            start_postgres(folder=tmp_path / "postgres", password="second")

    def test_that_holds_something_else_quotes_postgres_itself(self, tmp_path):
        (tmp_path / "postgres" / "data").mkdir(parents=True)
        (tmp_path / "postgres" / "data" / "README").write_text("mine")
        with pytest.raises(BackendUnavailableError, match="exists but is not empty"):
            start_postgres(folder=tmp_path / "postgres")

    def test_with_a_name_too_long_for_a_socket_is_served_by_tcp(self, tmp_path):
        with start_postgres(folder=tmp_path / ("long" * 25)) as server:
            assert server.socket_dir is None
            assert query("SELECT 1", server.uri) == [(1,)]


@as_root
class TestAsRoot:
    def test_runs_as_nobody_without_any_power_of_root(self):
        running = start_postgres()
        with running:
            assert psutil.Process(running.process.pid).username() == "nobody"
            assert capabilities_of(running.process.pid) == 0

    def test_keeps_no_more_than_file_access_where_the_folder_is_closed(self, tmp_path):
        tmp_path.chmod(0o700)
        running = start_postgres(folder=tmp_path / "postgres")
        with running:
            assert psutil.Process(running.process.pid).username() == "nobody"
            assert capabilities_of(running.process.pid) == 1 << 1  # CAP_DAC_OVERRIDE
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def capabilities_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in status if line.startswith("CapEff:"))
    return int(line.split()[1], 16)
