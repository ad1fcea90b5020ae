"""The whole stack, left alone by an owner that is killed."""

import subprocess
import sys

import psutil
import pytest

OWNER = """
import time
from hokusai.stack import start_mlflow, start_postgres, start_redis, start_s3
postgres, redis, s3 = start_postgres(), start_redis(), start_s3()
mlflow = start_mlflow(
    backend_store_uri=postgres.server.uri, artifacts_destination=s3.server.uri(), env=s3.server.env()
)
print("started", flush=True)
time.sleep(600)
"""


@pytest.mark.slow
def test_a_killed_owner_leaves_no_process_and_no_file(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE)
    assert owner.stdout.readline() == b"started\n"
    family = psutil.Process(owner.pid).children(recursive=True)
    names = {member.name() for member in family}
    assert {"postgres", "redis-server", "rclone"} < names
    assert len(list(tmp_path.glob("hokusai-*"))) == 4
    owner.kill()
    owner.communicate()
    assert psutil.wait_procs(family, timeout=60)[1] == []
    assert list(tmp_path.glob("hokusai-*")) == []
