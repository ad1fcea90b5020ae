"""`metaflow run MODULE:FLOW ...`: a flow by the name of its module, as the specification writes it.

Metaflow itself runs flows by file only. The flow is not imported here: what is wrong with its name is found
by reading, and then this process becomes `python -m MODULE run ...`, so that signals and exit codes need no
passing on.
"""

import ast
import importlib.util
import os
import sys
from pathlib import Path
from typing import NoReturn

from metaflow._vendor import click


def _command(name: str, what: str) -> click.Group:
    """A group with one command, which is the shape Metaflow wants its commands in."""

    @click.command(
        name=name,
        help=f"{what} the flow FLOW of the module MODULE. ARGS go to the flow; try --help after the target.",
        context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    )
    @click.argument("target", metavar="MODULE:FLOW")
    @click.argument("flow_args", metavar="[ARGS]...", nargs=-1, type=click.UNPROCESSED)
    def command(target: str, flow_args: tuple[str, ...]) -> None:
        _become_flow(target, name, flow_args)

    return click.Group(name=name, commands={name: command})


run = _command("run", "Run")
resume = _command("resume", "Resume a run of")


def _become_flow(target: str, command: str, flow_args: tuple[str, ...]) -> NoReturn:
    module, _, flow = target.partition(":")
    root = str(Path.cwd())
    if root not in sys.path:  # the console script, unlike `python -m`, does not look here
        sys.path.insert(0, root)
    source = _source(module, root)
    if flow:
        _check_flow(flow, module, source)
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(  # noqa: S606 - no shell is wanted
        sys.executable,
        [sys.executable, "-m", module, command, *flow_args],
        {**os.environ, "PYTHONPATH": path},
    )


def _source(module: str, root: str) -> Path:
    """The file of a module.

    Raises:
        click.ClickException: There is no such module, or it is not a Python file.
    """
    try:
        spec = importlib.util.find_spec(module) if module else None
    except (ImportError, ValueError) as error:
        raise click.ClickException(f"There is no module '{module}' (looked from {root}): {error}") from error
    if spec is None:
        raise click.ClickException(
            f"There is no module '{module}' (looked from {root}). "
            "The target is MODULE:FLOW, for example src.pipeline.hokusai_pipeline:HokusaiPipeline."
        )
    if (
        not spec.has_location
        or not spec.origin
        or not spec.origin.endswith(".py")
        or spec.submodule_search_locations
    ):
        raise click.ClickException(
            f"The module '{module}' is a package or not a Python file; a flow's module is one."
        )
    return Path(spec.origin)


def _check_flow(flow: str, module: str, source: Path) -> None:
    try:
        tree = ast.parse(source.read_bytes(), str(source))
    except SyntaxError as error:
        raise click.ClickException(f"{source}, line {error.lineno}: {error.msg}.") from error
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    if flow not in classes:
        found = f"It has: {', '.join(classes)}." if classes else "It has no classes."
        raise click.ClickException(f"The module '{module}' ({source}) has no class '{flow}'. {found}")
