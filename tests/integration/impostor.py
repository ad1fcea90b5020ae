"""Another user of this machine, who takes a name that a run's servers have, or could have, and answers "done"."""

import subprocess
import sys

NOBODY = 65534
_CODE = """
import os, select, socket, sys, time
os.setgroups([]); os.setgid({user}); os.setuid({user})
taken = []
for name in sys.argv[1:]:
    listener = socket.socket(socket.AF_UNIX)
    end = time.monotonic() + 120
    while True:
        try:
            listener.bind(chr(0) + name.format(pid=os.getpid()))
            break
        except OSError:  # not free yet
            if time.monotonic() > end:
                raise
            time.sleep(0.001)
    listener.listen()
    taken.append(listener)
print("ready", flush=True)
while True:
    ready, _, _ = select.select([*taken, sys.stdin], [], [])
    for listener in ready:
        if listener is sys.stdin:
            sys.exit()
        connection, _ = listener.accept()
        heard = b""
        try:
            connection.settimeout(5)
            heard = connection.recv(1 << 20)
            connection.sendall(b"+0")
        except OSError as error:
            heard = heard or (b"" if isinstance(error, BrokenPipeError) else repr(error).encode())
        connection.close()
        print(heard.hex() or "-", flush=True)
"""


class Impostor:
    """Tries until it has each name; `{pid}` in one stands for its own pid. Needs root to start as."""

    def __init__(self, *names):
        code = _CODE.replace("{user}", str(NOBODY))
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", code, *names],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def pid(self):
        return self._process.pid

    def __enter__(self):
        self.wait()
        return self

    def wait(self):
        """Until it has its names."""
        assert self._process.stdout.readline() == "ready\n"

    def heard(self):
        """What was sent to it on each connection so far; ends it."""
        told, _ = self._process.communicate()
        return [b"" if line == "-" else bytes.fromhex(line) for line in told.splitlines()]

    def __exit__(self, *_):
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            pipe.close()
        self._process.wait()
