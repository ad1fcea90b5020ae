"""`hokusai data hash|prove|verify`: what identifies rows, and proofs that one is among them, or is not."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hokusai.cli.data_options import Command, check_outputs, files_argument, read_options, reading, schema_of
from hokusai.cli.options import json_option
from hokusai.cli.output import show_facts, show_json, show_line, styled
from hokusai.cli.progress import stepping
from hokusai.errors import InvalidInputError

if TYPE_CHECKING:
    import polars as pl

    from hokusai.pipeline.data.digest_log import DigestLog
    from hokusai.pipeline.data.proofs import ContentProof, RowProof
    from hokusai.pipeline.data.scan import ReadOptions
    from hokusai.pipeline.data.told_types import ToldTypes

_MOST_PROOF_BYTES = 1 << 20


def telling_types(command: Command) -> Command:
    """Options that say of which types the columns of text files are."""
    command = click.option(
        "--manifest",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="the manifest that was written with FILE: its columns have the types that it says",
    )(command)
    return click.option("--schema", metavar="YAML", help="the types of the columns; see docs/data.md")(
        command
    )


def told_types(schema: str | None, manifest: Path | None) -> ToldTypes:
    """What the options of `telling_types` say."""
    from hokusai.pipeline.data.told_types import ToldTypes

    if schema is not None and manifest is not None:
        raise click.UsageError("Give one of --schema and --manifest.")
    if manifest is not None:
        return ToldTypes.of_manifest(manifest)
    rules = schema_of(schema)
    return ToldTypes.of_schema(rules, str(schema)) if rules is not None else ToldTypes()


@click.command("hash", short_help="Show what identifies the rows of files, however they are stored.")
@files_argument
@telling_types
@reading
@json_option
def hash_(
    files: tuple[str, ...], *, schema: str | None, manifest: Path | None, as_json: bool, **given: Any
) -> None:
    """Show the hash of the rows of FILE….

    The data hash is of the rows in their order, the content root of the rows in any order. Both are the same for CSV,
    JSON, Parquet and Arrow, and for any order of the columns. Rows are hashed as they stand in the files; `clean` says
    the hash of what it writes. Types are part of the rows: those of a text file are found from its cells, unless
    --manifest or --schema says them. Exits with 1 if the manifest has another hash, or the list of rejects
    that it tells of is another one.
    """
    told = told_types(schema, manifest)
    with _digested(files, read_options(given, None, "raise"), told) as (log, columns):
        found = log.dataset_hash(columns)
    same, foreign = found.data_hash == told.data_hash, told.foreign_rejects()
    if as_json:
        beside = {"foreign_rejects": str(foreign)} if foreign else {}
        show_json({**found.to_dict(), **({"as_in_manifest": same} if manifest else {}), **beside})
    else:
        facts = {
            "data hash": found.data_hash,
            "content root": found.content_root,
            "rows": f"{found.rows:,}",
            "specification": found.spec,
        }
        if manifest:
            facts["manifest"] = "has this hash" if same else f"has another, {told.data_hash}"
        if foreign:
            facts["rejects"] = f"{foreign} is of another run than the manifest"
        show_facts(facts)
    if (manifest and not same) or foreign:
        sys.exit(1)


@click.command(short_help="Prove that a row is in files, or is not.")
@files_argument
@click.option("--row", type=click.IntRange(min=1), metavar="N", help="the row, counted from 1")
@click.option("--row-json", metavar="JSON", help="the row by its values, wherever it is: proves absence too")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="write the proof here"
)
@telling_types
@reading
@json_option
def prove(
    files: tuple[str, ...],
    *,
    row: int | None,
    row_json: str | None,
    output: Path | None,
    schema: str | None,
    manifest: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Make a proof about one row of FILE….

    With --row, that the row stands at this place of the dataset with the data hash; with --row-json, that it is
    somewhere in the dataset with the content root, or nowhere in it. A proof is about a kilobyte of digests; it does
    not hold the row, and shows digests of up to 31 neighbours.
    """
    from hokusai.pipeline.data.canonical_columns import canonical_columns
    from hokusai.pipeline.data.row_proofs import digest_of, prove_content_of_digests, prove_row_of_digests
    from hokusai.utils.files import write_atomically

    if (row is None) == (row_json is None):
        raise click.UsageError("Give one of --row and --row-json.")
    check_outputs(files, [output], [schema, str(manifest) if manifest else None])
    told = told_types(schema, manifest)
    told.require_rejects()
    proof: RowProof | ContentProof
    with _digested(files, read_options(given, None, "raise"), told) as (log, types):
        columns = canonical_columns(types)
        if row is not None:
            if row > len(log):
                raise InvalidInputError(f"There is no row {row:,}: there are {len(log):,}", where="--row")
            proof = prove_row_of_digests(columns, log.chunks, row - 1)
            root = proof.data_hash
        else:
            digest = digest_of(_row_of(str(row_json)), columns)
            proof = prove_content_of_digests(columns, log.sorted_chunks, digest)
            root = proof.content_root
    if manifest is not None:
        told.require_root(root, ", ".join(files))
    if output is not None:
        write_atomically(output, (json.dumps(proof.to_dict(), indent=2) + "\n").encode())
        show_line("Written: ", str(output), stderr=True)
    if as_json or output is None:
        show_json(proof.to_dict())


@click.command(short_help="Check a proof against a hash that you trust.")
@click.argument("proof", type=click.Path(path_type=Path, dir_okay=False), metavar="PROOF")
@click.option(
    "--root", required=True, metavar="HASH", help="the data hash or content root, from a trusted source"
)
@click.option("--row-json", metavar="JSON", help="the row by its values")
@click.option("--file", "file", metavar="FILE", help="a file with this row alone, or with the whole dataset")
@reading
@json_option
def verify(
    proof: Path, *, root: str, row_json: str | None, file: str | None, as_json: bool, **given: Any
) -> None:
    """Check what PROOF says about a row, with nothing but the hash of the dataset.

    A file is read in the types of the proof, which lists the columns.
    The exit code is 0 if it is proved that the row is in the dataset, or, by a proof of absence, that it is not; the
    text says which. It is 1 if nothing is proved.
    """
    from hokusai.domain.canonical import parse_json
    from hokusai.pipeline.data.proofs import ContentProof, RowProof
    from hokusai.pipeline.data.row_proofs import verify_content, verify_row
    from hokusai.utils.files import read_limited

    if (file is None) == (row_json is None):
        raise click.UsageError("Give one of --row-json and --file.")
    content = parse_json(read_limited(proof, _MOST_PROOF_BYTES))
    if isinstance(content, dict) and content.get("proof") == "content":
        about = ContentProof.from_dict(content)
        row = _row_of(row_json) if row_json is not None else _only_row(str(file), about, given)
        present = verify_content(about, row, root)
        facts: dict[str, Any] = {"verified": True, "present": present, "rows": about.rows}
        text = "The row is in the dataset" if present else "The row is not in the dataset"
    else:
        place = RowProof.from_dict(content)
        row = _row_of(row_json) if row_json is not None else _row_at(str(file), place, given)
        verify_row(place, row, root)
        facts = {"verified": True, "present": True, "row": place.row + 1, "rows": place.rows}
        text = f"The row is row {place.row + 1:,} of the dataset"
    if as_json:
        show_json(facts)
    else:
        show_line(styled("Proved. ", "bold green"), f"{text} of {facts['rows']:,} rows.")


@contextmanager
def _digested(
    files: Sequence[str], options: ReadOptions, told: ToldTypes
) -> Iterator[tuple[DigestLog, dict[str, pl.DataType]]]:
    """The digests of all rows of the files, and the columns that they have together."""
    from hokusai.pipeline.data.digest_log import DigestLog
    from hokusai.pipeline.data.files import expand_paths
    from hokusai.pipeline.data.row_digests import row_digests
    from hokusai.pipeline.data.told_types import TypedFiles

    with tempfile.TemporaryDirectory(prefix=".hokusai-") as folder, DigestLog(folder) as log:
        with stepping() as tell:
            tell("Reading", 0, None)
            table = TypedFiles(expand_paths(list(files)), options, told)
            table.require_told()
            for batch in table.batches():
                log.append(row_digests(batch))
                tell("Hashing", len(log), table.rows)
        yield log, table.columns


def _row_of(text: str) -> dict[str, Any]:
    from hokusai.domain.canonical import parse_json

    row = parse_json(text.encode())
    if not isinstance(row, dict):
        raise InvalidInputError(
            "A row is a JSON object of columns and values",
            where="--row-json",
            hint='Such as {"id": 7, "label": "a"}.',
        )
    return row


def _row_at(file: str, proof: RowProof, given: dict[str, Any]) -> pl.DataFrame:
    """The row of a file that a proof is about: its only one, or the one at the proof's place."""
    rows = _rows(file, proof, given, proof.row + 1)
    if rows.height == 1:
        return rows
    if rows.height <= proof.row:
        raise InvalidInputError(
            f"The proof is about row {proof.row + 1:,}, and the file has {rows.height:,}", where=file
        )
    return rows[proof.row]


def _only_row(file: str, proof: ContentProof, given: dict[str, Any]) -> pl.DataFrame:
    rows = _rows(file, proof, given, 2)
    if rows.height != 1:
        raise InvalidInputError(
            "The file has more than one row, and the proof does not say which",
            where=file,
            hint="Give a file with the row alone, or --row-json.",
        )
    return rows


def _rows(file: str, proof: RowProof | ContentProof, given: dict[str, Any], at_least: int) -> pl.DataFrame:
    """The first rows of a file, so many at least if there are; of delimited text, in the types of the proof."""
    import polars as pl

    from hokusai.pipeline.data.told_types import ToldTypes, TypedFiles

    told = ToldTypes.of_columns(proof.columns, "the proof")
    found: list[pl.DataFrame] = []
    for batch in TypedFiles([Path(file)], read_options(given, None, "raise"), told).batches():
        found.append(batch)
        if sum(part.height for part in found) >= at_least:
            break
    return pl.concat(found)
