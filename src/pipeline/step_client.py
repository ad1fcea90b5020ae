"""What Metaflow starts for every step when the fork engine runs: it asks a warm server to do the step.

Metaflow wants one process a task, with a command line of its own making. This is that process. It hands its
command line, environment, folder and three streams to a server that has the flow imported already, waits, and
ends as the step ended. It starts nine times in a run, so it imports only modules that are built in:
`socket`, `json` and even `os` would each cost more than the rest.

    step_client.py ADDRESS [top level options] step STEP [options]

The request (read by `step_request`) is NUL-separated: the number of arguments, the arguments, the folder, the
environment (`NAME=value`). Its length goes before it as eight bytes, with the descriptors 0, 1 and 2.
The server answers `+` when it has taken the task on, then the exit code as text: negative for a signal, as
Popen reports it.
"""

import _signal
import _socket
import posix
import sys

TAKEN = b"+"
DISALLOW_RETRY = 202  # metaflow.exception.METAFLOW_EXIT_DISALLOW_RETRY
KILLED = 9


def main() -> int:
    """Have the step done by the server of its own group, or by the general one; return the exit code."""
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)  # Ctrl+C ends a waiting client without a traceback
    address, argv = sys.argv[1], sys.argv[2:]
    request = _request(argv)
    for server in _servers(address, argv):
        answer = _ask(server, request)
        if answer is not None:
            return int(answer) if answer else -KILLED
    sys.stderr.write("The step cannot start: the local engine of this run has ended.\n")
    return DISALLOW_RETRY


def _servers(address: str, argv: list[str]) -> list[bytes]:
    step = argv[argv.index("step") + 1] if "step" in argv[:-1] else ""
    # A leading NUL puts a Unix socket in the abstract namespace: no file, so nothing can be left behind.
    return [f"\0{address}/{step}".encode(), f"\0{address}".encode()]


def _request(argv: list[str]) -> bytes:
    arguments = [argument.encode("utf-8", "surrogateescape") for argument in argv]
    environment = [name + b"=" + value for name, value in posix.environ.items()]
    return b"\0".join([b"%d" % len(arguments), *arguments, posix.getcwdb(), *environment])


def _ask(server: bytes, request: bytes) -> bytes | None:
    """The server's answer: empty if it died over the task, None if it never took it on."""
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    streams = b"".join(fd.to_bytes(4, sys.byteorder) for fd in (0, 1, 2))
    answer = b""
    try:
        connection.connect(server)
        connection.sendmsg(
            [len(request).to_bytes(8, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)]
        )
        connection.sendall(request)
        while part := connection.recv(64):
            answer += part
    except OSError:
        pass  # no such server, or it died: what has been answered so far tells which
    return answer[1:] if answer.startswith(TAKEN) else None


def _leave(code: int) -> None:
    if code < 0:  # end by the very signal that ended the step, so that Metaflow sees what really happened
        if -code != KILLED:
            _signal.signal(-code, _signal.SIG_DFL)
        posix.kill(posix.getpid(), -code)
        code = 128 - code
    posix._exit(code)


if __name__ == "__main__":
    _leave(main())
