"""The stack, left alone by an owner that is killed.

MLflow is not among it, since it takes ten times as long as the rest: that a server's own children go with it is
shown in `test_process.py`, by children that resist more than MLflow's.
"""

import subprocess
import sys

import psutil

OWNER = """
import time
from hokusai.stack import start_postgres, start_redis, start_s3
servers = start_postgres(), start_redis(), start_s3()
print("started", flush=True)
time.sleep(600)
"""


def test_a_killed_owner_leaves_no_process_and_no_file(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE)
    assert owner.stdout.readline() == b"started\n"
    family = psutil.Process(owner.pid).children(recursive=True)
    names = {member.name() for member in family}
    assert {"postgres", "redis-server", "rclone"} < names
    assert len(list(tmp_path.glob("hokusai-*"))) == 3
    owner.kill()
    owner.communicate()
    assert psutil.wait_procs(family, timeout=60)[1] == []
    assert list(tmp_path.glob("hokusai-*")) == []
