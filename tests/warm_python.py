"""A Python that has everything imported, for tests that start many short commands.

Importing MLflow and scikit-learn takes five seconds of CPU, most of what a command of ours takes. `warm(...)` is a
command that does what `python ...` does, in a fork of a process that has imported them before: the pipeline's own step
server, told to run Python's command lines instead of steps. It knows what tests need of them: `-m MODULE`, `-c CODE`,
`FILE` and `-`, and `-W ACTION` before these.

What happens while something is imported is not seen by it: warnings, what is imported at all, variables that libraries
read then. Signals end only the client, whereupon the server kills the fork. So every command line that the
specification names is also run as it is.

    subprocess.run(warm("-m", "hokusai.cli", "models", "list"))
"""

from __future__ import annotations

import atexit
import importlib
import importlib.metadata
import os
import runpy
import secrets
import shlex
import socket
import subprocess
import sys
import types
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from src.pipeline import step_client, step_server

_MODULES = (
    "pandas",
    "polars",
    "rich.progress",
    "rich.table",
    "sklearn.compose",
    "sklearn.feature_extraction.text",
    "sklearn.linear_model",
    "sklearn.pipeline",
    "skops.io",
    "structlog",
    "hokusai.pipeline.acceptance",
    "hokusai.pipeline.attestation",
    "hokusai.pipeline.contribution",
    "hokusai.pipeline.crediting",
    "hokusai.pipeline.delta_output",
    "hokusai.pipeline.finish",
    "hokusai.pipeline.retraining",
    "hokusai.wiring",
    "jinja2",
    "mlflow",
    "mlflow.store.artifact.artifact_repository_registry",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.tracking.sqlalchemy_store",
)
# Variables that begin so have to be there while something is imported: they need a command that is not warm.
READ_AT_IMPORT = ("PYTHON", "OMP_", "OPENBLAS_", "MKL_", "POLARS_", "LD_")
# What a warm command is to take for its own Python: a program of `programs(...)`.
OWN_PYTHON = "WARM_PYTHON"
_ROOT = Path(__file__).resolve().parents[1]


def warm(*arguments: str) -> list[str]:
    """The command line that does what `python ARGUMENTS` does, but has everything imported.

    It ends as that would, with the same exit code; its process is a client, so that signals do not reach the command.
    """
    return [*_client(), *arguments]


def programs(folder: Path) -> Path:
    """Make a folder with `python` and `hokusai` that are warm, to be put first on the path of a shell."""
    folder.mkdir()
    client = shlex.join(_client())
    for name, arguments in (("python", ""), ("hokusai", " -m hokusai.cli")):
        file = folder / name
        file.write_text(f'#!/bin/sh\nexec {client}{arguments} "$@"\n')
        file.chmod(0o755)
    return folder


@cache
def _client() -> tuple[str, ...]:
    """What to put before arguments; the first call starts this session's server, which ends with this process."""
    address = f"hokusai-{os.getpid()}-{secrets.token_hex(8)}"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(f"\0{address}")
    listener.listen(128)
    ours, theirs = socket.socketpair()  # the server serves as long as we hold our end
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.warm_python", str(listener.fileno()), str(theirs.fileno())],
        cwd=_ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(READ_AT_IMPORT)},
        pass_fds=(listener.fileno(), theirs.fileno()),
    )
    listener.close()
    theirs.close()
    atexit.register(_end, server, ours)
    return sys.executable, "-I", "-S", step_client.__file__, address, ""


def _end(server: subprocess.Popen[bytes], lifeline: socket.socket) -> None:
    lifeline.close()
    server.wait(timeout=60)


def _serve(listener: int, lifeline: int) -> None:
    """Import everything as a command of ours would, then fork for every request."""
    from hokusai.adapters.mlflow_store import quiet_mlflow

    before = dict(os.environ)
    with quiet_mlflow():
        for module in _MODULES:
            importlib.import_module(module)
    # Metaflow asks at the start of every run; the answer takes a second and is the same for all forks.
    importlib.metadata.packages_distributions = cache(importlib.metadata.packages_distributions)
    importlib.metadata.packages_distributions()
    os.environ.clear()
    os.environ.update(before)
    requests = socket.socket(fileno=listener)
    step_server.serve(step_server.Group((requests,), ()), (), lifeline, _run)


def _run(arguments: Sequence[str]) -> None:
    """Do what `python ARGUMENTS` does; a command that starts others with its own Python has them warm too, if told."""
    sys.executable = os.environ.get(OWN_PYTHON, sys.executable)
    first, *rest = arguments
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if first == "-W":
        warnings.simplefilter(rest[0])  # type: ignore[arg-type]
        first, *rest = rest[1:]
    if first == "-m":
        sys.path[:1] = [str(Path.cwd()), *paths]
        sys.argv = ["-m", *rest[1:]]
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif first in ("-c", "-"):
        sys.path[:1] = ["", *paths]
        code = rest.pop(0) if first == "-c" else sys.stdin.read()
        sys.argv = [first, *rest]
        sys.modules["__main__"] = main = types.ModuleType("__main__")
        exec(compile(code, "<string>", "exec"), vars(main))
    else:
        sys.path[:1] = [str(Path(first).resolve().parent), *paths]
        sys.argv = [first, *rest]
        runpy.run_path(first, run_name="__main__")


if __name__ == "__main__":
    _serve(*map(int, sys.argv[1:]))
