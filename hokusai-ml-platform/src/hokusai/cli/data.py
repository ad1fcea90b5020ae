"""`hokusai data`: look at data before it is sent, clean it, merge it, and prove what is in it.

A contributor who has nothing but a file gets the same answers here as the pipeline would give later.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hokusai.cli.data_display import (
    show_account,
    show_effect,
    show_hash,
    show_pii,
    show_profiles,
    show_quality,
    show_rejects,
    show_report,
    show_score,
    show_sources,
)
from hokusai.cli.data_options import (
    check_outputs,
    columns_named,
    engine_for,
    files_argument,
    how_option,
    kept_tokenizer_for,
    manifest_option,
    memory_option,
    output_option,
    personal,
    policy_of,
    predicting,
    ray_option,
    read_options,
    reading,
    rejects_option,
    repeating,
    schema_of,
    schema_option,
    tokenizer_for,
)
from hokusai.cli.data_proofs import hash_, prove, telling_types, told_types, verify
from hokusai.cli.failures import Undecided
from hokusai.cli.options import json_option
from hokusai.cli.output import show_json, show_line, styled
from hokusai.cli.progress import stepping
from hokusai.errors import HokusaiError, SchemaError
from hokusai.utils.text import printable, quantity

if TYPE_CHECKING:
    from hokusai.pipeline.data.preview import Preview
    from hokusai.pipeline.data.streaming import Integration, Recipe


@click.group()
def data() -> None:
    """Data files: check, profile, clean, merge, and prove what is in them.

    FILE is a file or a glob of CSV, TSV, JSON, JSON Lines, Parquet or Arrow, also with gzip or zstd; it may be on S3.
    What a file is, its bytes say.
    """


data.add_command(hash_)
data.add_command(prove)
data.add_command(verify)


@data.command(short_help="See what would become of a contribution; nothing leaves this machine.")
@files_argument
@schema_option
@click.option("--base", multiple=True, metavar="FILE", help="the base data; may be repeated")
@how_option
@click.option("--like-base", is_flag=True, help="hold rows against a schema taken from the base data")
@repeating
@predicting
@click.option(
    "--benchmark-rows", type=click.IntRange(min=1), metavar="N", help="rows of the benchmark that will judge"
)
@personal("hash")
@click.option(
    "--values/--no-values",
    default=None,
    help="show what stands in the cells at fault; by default on a terminal only",
)
@reading
@json_option
def check(
    files: tuple[str, ...],
    *,
    schema: str | None,
    base: tuple[str, ...],
    how: Any,
    like_base: bool,
    key: tuple[str, ...],
    near: tuple[str, ...],
    target: str | None,
    features: tuple[str, ...],
    benchmark_rows: int | None,
    pii: str,
    policy: str | None,
    values: bool | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Check FILE… as the pipeline will: schema, personal data, duplicates, quality, and the likely effect.

    With the options of `clean` and `merge` it tells what these would do; nothing is written, and no key is made.
    The exit code is 1 if rows would be rejected, and 2 if FILE could not be checked at all.
    """
    from hokusai.pipeline.data.preview import preview
    from hokusai.pipeline.data.schema_inference import infer_schema_of_files

    if like_base and (schema is not None or not base):
        raise click.UsageError("--like-base needs --base, and no --schema.")
    if how != "append" and not base:
        raise click.UsageError(f"--how {how} needs --base.")
    if how == "update" and not key:
        raise click.UsageError("--how update needs --key: what identifies a row.")
    try:
        rules = schema_of(schema)
        with stepping() as tell, columns_named(as_json=as_json):
            if like_base:
                rules = infer_schema_of_files(list(base), progress=tell)
            removal = policy_of(pii, policy)
            seen = preview(
                list(files),
                base=list(base) or None,
                how=how,
                schema=rules,
                target=target,
                features=features,
                key=key,
                near_text=near,
                pii=removal,
                tokenizer=kept_tokenizer_for(removal),
                read=read_options(given, rules, "reject"),
                benchmark_rows=benchmark_rows or 0,
                progress=tell,
            )
    except SchemaError:  # it could be read, and no row of it would do
        raise
    except HokusaiError as problem:
        raise Undecided(problem, as_json=as_json) from problem
    shown = sys.stdout.isatty() and not as_json if values is None else values
    if as_json:
        show_json(seen.to_dict(values=shown))
    else:
        _show_preview(seen, values=shown)
    sys.exit(0 if seen.accepted else 1)


@data.command("schema", short_help="Take a schema from good data, to check other data with.")
@files_argument
@click.option("--ranges", is_flag=True, help="numbers and dates must stay between the least and the greatest")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="YAML",
    help="write it here instead of to the terminal",
)
@reading
@json_option
def schema_(
    files: tuple[str, ...], *, ranges: bool, output: Path | None, as_json: bool, **given: Any
) -> None:
    """Write down what every row of FILE… is like: types, what is always there, and the few values of a text column.

    The result is a start: read it, and keep the rules that are meant.
    """
    from hokusai.pipeline.data.schema_files import write_schema
    from hokusai.pipeline.data.schema_inference import infer_schema_of_files
    from hokusai.utils.yaml_text import dump_yaml

    check_outputs(files, [output])
    with stepping() as tell:
        found = infer_schema_of_files(
            list(files), read_options(given, None, "raise"), ranges=ranges, progress=tell
        )
    if output is not None:
        write_schema(found, output)
        show_line("Written: ", str(output), stderr=True)
    if as_json:
        show_json(found.to_dict())
    elif output is None:
        click.echo(printable(dump_yaml(found.to_dict())), nl=False)


@data.command(short_help="Show every column: types, missing values, ranges, frequent values.")
@files_argument
@click.option(
    "--plots",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="write a picture of each column and one HTML page there (extra `plots`)",
)
@reading
@json_option
def profile(files: tuple[str, ...], *, plots: Path | None, as_json: bool, **given: Any) -> None:
    """Describe the columns of FILE….

    Values are shown only of columns with at most 20 of them, and only those that at least 5 rows have.
    """
    from hokusai.pipeline.data.profiling import profile_files

    with stepping() as tell:
        found = profile_files(list(files), read_options(given, None, "raise"), progress=tell)
    written: tuple[Path, ...] = ()
    if plots is not None:
        from hokusai.pipeline.data.profile_plots import write_plots

        written = write_plots(found.columns, plots, pii_columns=found.personal, title=found.name)
    if as_json:
        show_json({**found.to_dict(), "plots": [str(path) for path in written]})
        return
    show_line(f"{found.rows:,} rows, {len(found.columns):,} columns")
    show_profiles(found.columns)
    if written:
        show_line("Written: ", str(written[-1]), stderr=True)


@data.command(short_help="Take personal data, duplicates and rows at fault out of files.")
@files_argument
@output_option
@rejects_option
@manifest_option
@schema_option
@personal("hash")
@repeating
@click.option("--keep-duplicates", is_flag=True, help="leave rows in that repeat an earlier one")
@predicting
@memory_option
@ray_option
@reading
@json_option
def clean(
    files: tuple[str, ...],
    *,
    output: Path,
    rejects: Path | None,
    manifest: Path | None,
    schema: str | None,
    pii: str,
    policy: str | None,
    near: tuple[str, ...],
    key: tuple[str, ...],
    target: str | None,
    features: tuple[str, ...],
    keep_duplicates: bool,
    memory_mb: int | None,
    ray: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Write the rows of FILE… without people's data, without duplicates, and with the types of the schema.

    The output appears when it is whole, or not at all.
    """
    from hokusai.pipeline.data.streaming import Recipe

    check_outputs(files, [output, rejects, manifest], [schema, policy])
    rules, wanted = schema_of(schema), policy_of(pii, policy)
    recipe = Recipe(
        schema=rules,
        pii=wanted,
        deduplicate=not keep_duplicates,
        key=key,
        near_text=near,
        target=target,
        features=features,
        read=read_options(given, rules, "raise" if rejects is None else "reject"),
    )
    _integrate(list(files), None, recipe, output, rejects, manifest, memory_mb, ray, as_json=as_json)


@data.command(short_help="Join new rows with base data: append, replace, or update by key.")
@click.argument("base", metavar="BASE")
@files_argument
@output_option
@rejects_option
@manifest_option
@schema_option
@how_option
@click.option(
    "--key",
    "key",
    multiple=True,
    metavar="COLUMN",
    help="what identifies a row; may be repeated. Without an update, it says which rows repeat earlier ones",
)
@predicting
@personal("hash")
@memory_option
@ray_option
@reading
@json_option
def merge(
    base: str,
    files: tuple[str, ...],
    *,
    output: Path,
    rejects: Path | None,
    manifest: Path | None,
    schema: str | None,
    how: Any,
    key: tuple[str, ...],
    target: str | None,
    features: tuple[str, ...],
    pii: str,
    policy: str | None,
    memory_mb: int | None,
    ray: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Merge FILE… into BASE; rows that repeat an earlier one are left out."""
    from hokusai.pipeline.data.streaming import Recipe

    check_outputs([base, *files], [output, rejects, manifest], [schema, policy])
    rules = schema_of(schema)
    recipe = Recipe(
        schema=rules,
        pii=policy_of(pii, policy),
        how=how,
        key=key,
        target=target,
        features=features,
        read=read_options(given, rules, "raise" if rejects is None else "reject"),
    )
    _integrate(list(files), base, recipe, output, rejects, manifest, memory_mb, ray, as_json=as_json)


@data.command(short_help="Write files in another format, row by row as they are.")
@files_argument
@output_option
@click.option(
    "--safe-csv",
    is_flag=True,
    help="put a ' before text that a spreadsheet would run as a formula: for people's eyes, no longer the same data",
)
@telling_types
@reading
@json_option
def convert(
    files: tuple[str, ...],
    *,
    output: Path,
    safe_csv: bool,
    schema: str | None,
    manifest: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Write the rows of FILE… to one file of the format that its name says.

    With --manifest the rows must have the hash that it tells, or nothing is written.
    """
    from hokusai.pipeline.data.files import expand_paths
    from hokusai.pipeline.data.told_types import TypedFiles
    from hokusai.pipeline.data.writers import output_format, writing

    if safe_csv and output_format(output) not in ("csv", "tsv"):
        raise click.UsageError("--safe-csv is for .csv and .tsv files.")
    check_outputs(files, [output], [schema, str(manifest) if manifest else None])
    told, done, paths = told_types(schema, manifest), 0, expand_paths(list(files))
    told.require_bytes(paths)
    told.require_rejects()
    with stepping() as tell:
        table = TypedFiles(paths, read_options(given, None, "raise"), told)
        table.require_told()
        with writing(output, table.columns, safe_csv=safe_csv) as writer:
            for batch in table.told_batches():
                writer.write(batch)
                done += batch.height
                tell("Writing", done, table.rows)
        notes = writer.notes()
    if as_json:
        show_json({"output": str(output), "rows": done, "columns": list(table.columns), "notes": list(notes)})
        return
    for note in notes:
        show_line(styled("note: ", "yellow"), note)
    show_line(f"{done:,} rows written to ", styled(str(output), "bold"))


def _integrate(
    files: list[str],
    base: str | None,
    recipe: Recipe,
    output: Path,
    rejects: Path | None,
    manifest: Path | None,
    memory_mb: int | None,
    ray: str | None,
    *,
    as_json: bool,
) -> None:
    """Do it, and tell what came of it."""
    from hokusai.pipeline.data.streaming import integrate_files

    tokenizer = tokenizer_for(recipe.pii) if recipe.pii is not None else None
    with stepping() as tell, engine_for(ray) as engine, columns_named(as_json=as_json):
        done = integrate_files(
            files,
            output,
            base=base,
            recipe=recipe,
            tokenizer=tokenizer,
            rejects=rejects,
            manifest=manifest,
            memory_budget_bytes=None if memory_mb is None else memory_mb * 1_000_000,
            engine=engine,
            progress=tell,
        )
    if as_json:
        show_json(done.manifest.to_dict())
    else:
        _show_integration(done, rejects)


def _show_integration(done: Integration, rejects: Path | None) -> None:
    show_sources(done.manifest)
    show_account(done.manifest)
    show_pii(done.manifest)
    for step in done.manifest.transformations:
        show_line(styled(f"{step.name}: {step.rows_before:,} rows, then {step.rows_after:,}", "dim"))
    if done.quality is not None:
        show_score(done.quality)
    show_hash(done.manifest)
    show_line("Written: ", styled(str(done.output), "bold"), stderr=True)
    if rejects is not None:
        show_line(f"{quantity(done.manifest.rows.rejected, 'rejected row')} listed in {rejects}", stderr=True)


def _show_preview(seen: Preview, *, values: bool) -> None:
    manifest, report = seen.integration.manifest, seen.integration.report
    show_sources(manifest)
    show_account(manifest)
    if report is not None:
        click.echo()
        show_report(report, unread=manifest.rows.read - report.rows_checked, values=values)
    if seen.rejects:
        click.echo()
        show_rejects(seen.rejects)
    click.echo()
    show_pii(manifest, done="would be")
    click.echo()
    show_quality(seen.quality)
    click.echo()
    show_effect(seen.effect, seen.benchmark_rows, seen.detectable_delta)
    show_line(styled(seen.verdict, "bold green" if seen.accepted else "bold red"))
