"""What the commands on data have in common: the files, what is known about them, what becomes of personal data."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from hokusai.cli.failures import Undecided

if TYPE_CHECKING:
    from hokusai.domain.schema import DataSchema
    from hokusai.pipeline.data.scan import OnError, ReadOptions
    from hokusai.ports import BatchEngine
    from hokusai.privacy.policy import PiiPolicy
    from hokusai.privacy.tokens import Tokenizer

Command = TypeVar("Command", bound=Callable[..., Any])

FORMATS = ("csv", "tsv", "json", "jsonl", "parquet", "arrow")
ACTIONS = ("hash", "mask", "drop", "report")

files_argument = click.argument("files", nargs=-1, required=True, metavar="FILE…")
schema_option = click.option(
    "--schema", metavar="YAML", help="what every row must be like; see docs/data.md for the notation"
)
output_option = click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="where the result goes: .parquet, .arrow, .csv, .tsv, .json or .jsonl; text also .gz or .zst",
)
rejects_option = click.option(
    "--rejects",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="set rows at fault aside and list them here (JSON Lines), instead of refusing the file",
)
manifest_option = click.option(
    "--manifest",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="write the manifest, the full account, here (JSON)",
)
memory_option = click.option(
    "--memory-mb",
    type=click.IntRange(min=1),
    metavar="N",
    help="how much may wait in memory; a quarter of it",
)


def _adding(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """One decorator for several options, shown in this order."""

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


how_option = click.option(
    "--how",
    type=click.Choice(["append", "replace", "update"]),
    default="append",
    show_default=True,
    help="behind the base rows, instead of them, or in the place of those with the same key",
)
repeating = _adding(
    click.option(
        "--near",
        multiple=True,
        metavar="COLUMN",
        help="rows whose text here says nearly the same repeat one another too",
    ),
    click.option(
        "--key",
        multiple=True,
        metavar="COLUMN",
        help="rows with the same value here repeat one another; may be repeated; by default only equal rows do",
    ),
)
"""Options on which rows repeat one another."""
predicting = _adding(
    click.option("--target", metavar="COLUMN", help="the label's column"),
    click.option(
        "--feature",
        "features",
        multiple=True,
        metavar="COLUMN",
        help="what it is predicted from; may be repeated; by default all columns that do not merely identify rows",
    ),
)
"""Options on what the data is for, by which its quality is judged."""
reading = _adding(
    click.option("--format", "format_", type=click.Choice(FORMATS), help="of the files"),
    click.option("--encoding", metavar="NAME", help="of the text, such as utf-8 or cp1252"),
    click.option("--delimiter", metavar="CHARACTER", help="between the fields of a line"),
    click.option(
        "--header/--no-header",
        default=None,
        help="the first line names the columns, or holds values; by default what it looks like",
    ),
)
"""Options on what is known about the files; what is left open is found from their bytes."""


def personal(default: str) -> Callable[[Command], Command]:
    """Options on what becomes of personal data."""

    def add(command: Command) -> Command:
        command = click.option(
            "--policy", metavar="YAML", help="what becomes of which kind in which column; not with --pii"
        )(command)
        return click.option(
            "--pii", type=click.Choice(ACTIONS), default=default, show_default=True, help="what becomes of it"
        )(command)

    return add


def read_options(given: Mapping[str, Any], schema: DataSchema | None, on_error: OnError) -> ReadOptions:
    """What the options of `reading` say; the schema's types are told to the readers."""
    from hokusai.pipeline.data.scan import ReadOptions

    return ReadOptions(
        format=given["format_"],
        encoding=given["encoding"],
        delimiter=given["delimiter"],
        has_header=given["header"],
        types=schema.types if schema else {},
        on_error=on_error,
    )


def schema_of(path: str | None) -> DataSchema | None:
    """The schema in a file, if one was named."""
    from hokusai.pipeline.data.schema_files import read_schema

    return None if path is None else read_schema(path)


def policy_of(pii: str, policy: str | None) -> PiiPolicy:
    """What the options of `personal` say.

    Raises:
        UsageError: Both were typed, so that it is open which of them holds.
    """
    from hokusai.privacy.policy import PiiAction, PiiPolicy
    from hokusai.utils.files import read_limited

    if policy is None:
        return PiiPolicy(default=PiiAction(pii))
    if click.get_current_context().get_parameter_source("pii") is ParameterSource.COMMANDLINE:
        raise click.UsageError(
            f"Give one of --pii and --policy. For --pii {pii}, write `default: {pii}` into the policy."
        )
    return PiiPolicy.from_yaml(read_limited(Path(policy), 1 << 20).decode(), where=policy)


def check_outputs(
    files: Iterable[str], outputs: Iterable[Path | None], beside: Iterable[str | None] = ()
) -> None:
    """Find out before anything is read whether each output can be written, and is not what is to be read.

    Args:
        files: Data files and globs.
        outputs: Where something will be written.
        beside: Other files that are read, such as a schema.
    """
    from hokusai.pipeline.data.files import REMOTE, expand_paths
    from hokusai.utils.files import check_no_overwrite, check_writable

    wanted = [path for path in outputs if path is not None]
    inputs = [path for name in files if not name.startswith(REMOTE) for path in expand_paths(name)]
    check_no_overwrite([*inputs, *(Path(name) for name in beside if name is not None)], wanted)
    for path in wanted:
        check_writable(path)


@contextlib.contextmanager
def columns_named(*, as_json: bool) -> Iterator[None]:
    """An option that names a column which the files do not have is a wrong command line: exit code 2."""
    from hokusai.pipeline.data.columns import UnknownColumnError

    try:
        yield
    except UnknownColumnError as problem:
        raise Undecided(problem, as_json=as_json) from problem


def tokenizer_for(policy: PiiPolicy) -> Tokenizer | None:
    """What makes tokens, with the configured key, where the policy needs it."""
    from hokusai import wiring

    return wiring.pii_tokenizer(wiring.start_up()) if policy.hashes else None


def kept_tokenizer_for(policy: PiiPolicy) -> Tokenizer | None:
    """The same if there is a key already: no key is made to look."""
    from hokusai import wiring

    return wiring.kept_pii_tokenizer() if policy.hashes else None


ray_option = click.option(
    "--ray",
    is_flag=False,
    flag_value="",
    metavar="[ADDRESS]",
    help="work on batches with Ray: of the cluster at ADDRESS, or without one on all processors of this machine",
)


def engine_for(ray: str | None) -> contextlib.AbstractContextManager[BatchEngine | None]:
    """Where batches are worked on: here, or on Ray, for as long as the block lasts."""
    from hokusai import wiring

    return contextlib.nullcontext(None) if ray is None else wiring.ray_engine(ray or None)
