"""What Metaflow starts for every step when the fork engine runs: it asks a warm server to do the step.

Metaflow wants one process a task, with a command line of its own making. This is that process. It hands its
command line, environment, folder and three streams to a server that has the flow imported already, waits, and
ends as the step ended. It starts nine times in a run, so it imports only modules that are built in:
`socket`, `json` and even `os` would each cost more than the rest.

    step_client.py ADDRESS STEP,STEP,... [top level options] step STEP [options]

ADDRESS is `hokusai-PID-RANDOM`, after the process that listens there; the steps named next have a server of their
own. A name in the abstract namespace is for anyone to see and, while nobody holds it, to take: so a name that
the run has not bound is never asked, and nothing is sent before the kernel has told that the other end was
bound by that very process, and by our own user.

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
    address, grouped, argv = sys.argv[1], sys.argv[2].split(","), sys.argv[3:]
    request = _request(argv)
    for server in _servers(address, grouped, argv):
        answer = _ask(server, int(address.split("-")[1]), request)
        if answer is not None:
            return int(answer) if answer else -KILLED
    sys.stderr.write("The step cannot start: the local engine of this run has ended.\n")
    return DISALLOW_RETRY


def _servers(address: str, grouped: list[str], argv: list[str]) -> list[bytes]:
    step = argv[argv.index("step") + 1] if "step" in argv[:-1] else None
    # A leading NUL puts a Unix socket in the abstract namespace: no file, so nothing can be left behind.
    own = [f"\0{address}/{step}".encode()] if step in grouped else []
    return [*own, f"\0{address}".encode()]


def _request(argv: list[str]) -> bytes:
    arguments = [argument.encode("utf-8", "surrogateescape") for argument in argv]
    environment = [name + b"=" + value for name, value in posix.environ.items()]
    return b"\0".join([b"%d" % len(arguments), *arguments, posix.getcwdb(), *environment])


def _ask(server: bytes, owner: int, request: bytes) -> bytes | None:
    """The server's answer: empty if it died over the task, None if it never took it on."""
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    streams = b"".join(fd.to_bytes(4, sys.byteorder) for fd in (0, 1, 2))
    answer = b""
    try:
        connection.connect(server)
        if not _is_ours(connection, owner):
            sys.stderr.write(
                "A process of another user or run listens where a server of this run should; it was sent nothing.\n"
            )
            return None
        connection.sendmsg(
            [len(request).to_bytes(8, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)]
        )
        connection.sendall(request)
        while part := connection.recv(64):
            answer += part
    except OSError:
        pass  # no such server, or it died: what has been answered so far tells which
    return answer[1:] if answer.startswith(TAKEN) else None


def _is_ours(connection: _socket.socket, owner: int) -> bool:
    """Whether the other end was bound by this run. What the kernel tells is from then: it cannot be made up."""
    credentials = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    pid, uid, _ = memoryview(credentials).cast("i")
    return bool(pid == owner and uid == posix.geteuid())


def _leave(code: int) -> None:
    if code < 0:  # end by the very signal that ended the step, so that Metaflow sees what really happened
        if -code != KILLED:
            _signal.signal(-code, _signal.SIG_DFL)
        posix.kill(posix.getpid(), -code)
        code = 128 - code
    posix._exit(code)


if __name__ == "__main__":
    _leave(main())
