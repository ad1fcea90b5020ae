"""`hokusai models`: register versions of models, find them, look into them, tag, compare, delete and restore them."""

from __future__ import annotations

import sys
from functools import partial

import click

from hokusai.cli import door
from hokusai.cli.evaluate import evaluate
from hokusai.cli.model_display import boards_of, comparison_rows, facts_of, list_rows, told
from hokusai.cli.options import as_numbers, as_stage, as_texts, json_option
from hokusai.cli.output import show_facts, show_json, show_line, show_table, size, styled
from hokusai.domain.stages import Stage
from hokusai.domain.tokens import TokenBenchmark
from hokusai.domain.versions import ModelId
from hokusai.errors import InvalidInputError
from hokusai.utils.text import printable

_MAX_PAGE = 1000


@click.group()
def models() -> None:
    """Versions of models: register, find, compare, delete.

    REF is name/1.2.0, name/3 (MLflow's number), name@production, or name for its latest release.
    """


models.add_command(evaluate)


@models.command(short_help="Register a model file as a version.")
@click.argument("source", metavar="FILE")
@click.option("--name", required=True, metavar="NAME", help="the model's name")
@click.option("--version", metavar="VERSION", help="a semantic version; by default the next minor one")
@click.option(
    "--metric", "metrics", multiple=True, callback=as_numbers, metavar="NAME=NUMBER", help="may be repeated"
)
@click.option("--tag", "tags", multiple=True, callback=as_texts, metavar="NAME=TEXT", help="may be repeated")
@click.option("--parent", metavar="REF", help="the version that this one improves")
@click.option("--contributor", metavar="0x…", help="wallet address of whoever gave the data")
@click.option("--baseline", is_flag=True, help="improvements are measured from this version")
@click.option("--token-id", metavar="TOKEN", help="the Hokusai token that the model belongs to")
@click.option(
    "--benchmark-metric", metavar="METRIC", help="the metric that the token's improvements are measured in"
)
@click.option("--benchmark-value", type=float, metavar="NUMBER", help="its value now")
@click.option("--description", default="", metavar="TEXT", help="a text for people")
@click.option("--trust", is_flag=True, help="load FILE even if that runs code that its author put into it")
@json_option
def register(
    source: str,
    *,
    name: str,
    version: str | None,
    metrics: dict[str, float],
    tags: dict[str, str],
    parent: str | None,
    contributor: str | None,
    baseline: bool,
    token_id: str | None,
    benchmark_metric: str | None,
    benchmark_value: float | None,
    description: str,
    trust: bool,
    as_json: bool,
) -> None:
    """Store the model in FILE and register it.

    FILE is a model file (.skops, .ubj or .json of XGBoost, .txt of LightGBM, .onnx; with --trust also .pkl and
    .joblib), a folder that MLflow wrote, or a URI (runs:/…, models:/…, s3://…). What MLflow wrote is registered as it
    is, and not loaded.
    """
    from hokusai.core.models.model_file import is_stored_by_mlflow, read_model

    token = _token(token_id, benchmark_metric, benchmark_value)
    by_mlflow = is_stored_by_mlflow(source)
    model = None if by_mlflow else read_model(source, trust=trust)  # before any store is opened
    registry = door.registry()
    add = partial(registry.register_from_uri, source) if by_mlflow else partial(registry.register, model)
    done = add(
        name,
        version,
        metrics=metrics,
        tags=tags,
        parent=parent,
        contributor=contributor,
        is_baseline=baseline,
        token=token,
        description=description,
    )
    if as_json:
        show_json({"created": done.created, "model": told(boards_of(registry, [done.record]), done.record)})
    elif done.created:
        show_line("Registered ", styled(done.model_id, "bold green"))
        stored = done.record.stored
        if stored is not None:
            show_line(f"{stored.format}, {size(stored.size_bytes)}, SHA-256 {stored.sha256}")
    else:
        show_line(
            styled(done.model_id, "bold"), " was registered before with the same content; nothing is changed."
        )


@models.command("list", short_help="List versions, newest first.")
@click.option("--name", metavar="NAME", help="versions of this model")
@click.option("--token", "token_id", metavar="TOKEN", help="models of this Hokusai token")
@click.option("--contributor", metavar="0x…", help="versions made better by this contributor's data")
@click.option("--stage", callback=as_stage, metavar="STAGE", help="development, staging or production")
@click.option("--tag", "tags", multiple=True, callback=as_texts, metavar="NAME=TEXT", help="may be repeated")
@click.option("--deleted", is_flag=True, help="deleted versions too")
@click.option("--limit", type=click.IntRange(1, _MAX_PAGE), default=100, show_default=True, metavar="N")
@click.option("--after", metavar="REF", help="go on after this version, the last one of the page before")
@json_option
def list_(
    *,
    name: str | None,
    token_id: str | None,
    contributor: str | None,
    stage: Stage | None,
    tags: dict[str, str],
    deleted: bool,
    limit: int,
    after: str | None,
    as_json: bool,
) -> None:
    """List versions that meet all that is given, newest first."""
    if stage is not None and after is not None:
        raise click.UsageError("--stage lists one version of each model, by name, and has no --after.")
    registry = door.registry()
    found = registry.list_models(
        name,
        token_id=token_id,
        contributor=contributor,
        stage=stage,
        tags=tags,
        include_deleted=deleted,
        limit=limit + 1,
        after=after,
    )
    page, more = found[:limit], len(found) > limit
    boards = boards_of(registry, page)
    following = page[-1].model_id if more and stage is None else None
    if as_json:
        show_json({"models": [told(boards, record) for record in page], "more": more, "next": following})
        return
    if not page:
        show_line(
            "No version is like that."
            if any((name, token_id, contributor, stage, tags, after))
            else "Nothing is registered. Begin with: hokusai models register FILE --name NAME"
        )
        return
    columns = ("model", "stage", "metrics", "contributor", "registered", "")
    show_table(columns, list_rows(boards, page), folding=["metrics"])
    if more:
        show_line(
            styled(
                f"There are more: --after {following}" if following else "There are more: raise --limit.",
                "dim",
            ),
            stderr=True,
        )


@models.command(short_help="Show all that is known of a version.")
@click.argument("reference", metavar="REF")
@json_option
def show(reference: str, *, as_json: bool) -> None:
    """Show all that is known of the version that REF names."""
    registry = door.registry()
    record = registry.get_model(reference)
    boards = boards_of(registry, [record])
    if as_json:
        show_json(told(boards, record))
    else:
        show_facts(facts_of(boards, record))


@models.command(short_help="Show what sets a version apart from another.")
@click.argument("reference_a", metavar="REF_A")
@click.argument("reference_b", metavar="REF_B")
@json_option
def compare(reference_a: str, reference_b: str, *, as_json: bool) -> None:
    """Show REF_B against REF_A, two versions of one model: metrics, signatures, parameters, sizes, descent."""
    from hokusai.core.versioning import ModelVersionManager

    registry = door.registry()
    a, b = registry.get_model(reference_a), registry.get_model(reference_b)
    if a.name != b.name:
        raise InvalidInputError(
            f"{a.model_id} and {b.model_id} are versions of different models",
            where="REF_B",
            hint="Compare two versions of one model.",
        )
    found = ModelVersionManager(registry).compare_versions(a.name, a.number, b.number)
    if as_json:
        show_json(found.to_dict())
    else:
        columns = ("", a.model_id, b.model_id, "difference")
        show_table(columns, comparison_rows(found), folding=columns)


@models.command(short_help="Set and remove tags of a version.")
@click.argument("reference", metavar="REF")
@click.argument("tags", nargs=-1, callback=as_texts, metavar="[NAME=TEXT]...")
@click.option("--remove", multiple=True, metavar="NAME", help="remove this tag; may be repeated")
@json_option
def tag(reference: str, *, tags: dict[str, str], remove: tuple[str, ...], as_json: bool) -> None:
    """Set tags of the version that REF names, and remove others."""
    if not tags and not remove:
        raise click.UsageError("Give tags as NAME=TEXT, or --remove NAME.")
    both = sorted(set(tags) & set(remove))
    if both:
        raise click.UsageError(f"The tag {both[0]!r} is to be set and to be removed.")
    registry = door.registry()
    before = registry.get_model(reference)
    after = registry.update_model_tags(before.name, before.number, tags, remove=remove)
    if as_json:
        show_json(told(boards_of(registry, [after]), after))
        return
    done = [f"{name}={value}" for name, value in tags.items() if before.tags.get(name) != value]
    done += [f"{name} removed" for name in remove if name in before.tags]
    show_line(styled(after.model_id, "bold"), ": ", ", ".join(done) or "nothing to change")


@models.command(short_help="Delete a version; it can be restored.")
@click.argument("reference", metavar="REF")
@click.option("--reason", default="", metavar="TEXT", help="why, for the history")
@click.option("--yes", is_flag=True, help="do not ask")
@json_option
def delete(reference: str, *, reason: str, yes: bool, as_json: bool) -> None:
    """Take the version that REF names out of use.

    It keeps its number, its files and its place in the lineage. A version that is in a stage, or that others were
    made from, cannot be deleted.
    """
    registry = door.registry()
    record = registry.get_model(reference)
    if not yes:
        _confirm(f"Delete {printable(record.model_id)}?")
    deleted = registry.delete(record.model_id, reason)
    if as_json:
        show_json(told(boards_of(registry, [deleted]), deleted))
    else:
        show_line(
            "Deleted ",
            styled(deleted.model_id, "bold"),
            ". Restore it: hokusai models restore ",
            deleted.model_id,
        )


@models.command(short_help="Take a deletion back.")
@click.argument("reference", metavar="REF")
@click.option("--reason", default="", metavar="TEXT", help="why, for the history")
@json_option
def restore(reference: str, *, reason: str, as_json: bool) -> None:
    """Bring the deleted version that REF names back into use."""
    registry = door.registry()
    restored = registry.restore(reference, reason)
    if as_json:
        show_json(told(boards_of(registry, [restored]), restored))
    else:
        show_line("Restored ", styled(restored.model_id, "bold"))


@models.command(short_help="Say that a version should not be used any more.")
@click.argument("reference", metavar="NAME/VERSION")
@click.option("--reason", default="", metavar="TEXT", help="why, for whoever wants to use it")
@json_option
def deprecate(reference: str, *, reason: str, as_json: bool) -> None:
    """Deprecate a version: it can be loaded, and not be promoted."""
    _mark("deprecate_version", reference, reason, "deprecated", as_json=as_json)


@models.command(short_help="Take a deprecation back.")
@click.argument("reference", metavar="NAME/VERSION")
@click.option("--reason", default="", metavar="TEXT", help="why, for the history")
@json_option
def reinstate(reference: str, *, reason: str, as_json: bool) -> None:
    """Let a deprecated version be promoted again."""
    _mark("reinstate_version", reference, reason, "in use again", as_json=as_json)


@models.command(short_help="Delete old versions that nothing needs.")
@click.argument("name", metavar="NAME")
@click.option(
    "--keep", type=click.IntRange(1), default=5, show_default=True, metavar="N", help="newest versions"
)
@click.option("--apply", is_flag=True, help="do it; without this, what would be done is shown")
@json_option
def clean(name: str, *, keep: int, apply: bool, as_json: bool) -> None:
    """Delete versions of NAME, softly, but for the newest, and for what is in use, was just in use, or is a parent."""
    from hokusai.core.versioning import ModelVersionManager

    plan = ModelVersionManager(door.registry()).clean_up(name, keep, dry_run=not apply)
    if as_json:
        show_json(plan.to_dict())
        return
    rows = [(own, styled("stays", "green"), why) for own, why in plan.stays.items()]
    rows += [(own, styled("deleted" if apply else "would go", "red"), why) for own, why in plan.goes.items()]
    show_table(("version", "", "because it"), rows, folding=["because it"])
    if plan.goes and not apply:
        show_line(styled("Nothing was deleted. Do it with --apply.", "dim"))


def _mark(method: str, reference: str, reason: str, said: str, *, as_json: bool) -> None:
    from hokusai.core.versioning import ModelVersionManager

    wanted = ModelId.parse(reference)
    record = getattr(ModelVersionManager(door.registry()), method)(wanted.name, str(wanted.version), reason)
    if as_json:
        show_json(record.to_dict())
    else:
        show_line(record.model_id, f" is {said}.")


def _token(token_id: str | None, metric: str | None, value: float | None) -> TokenBenchmark | None:
    if token_id is None and metric is None and value is None:
        return None
    if token_id is None or metric is None or value is None:
        raise click.UsageError(
            "--token-id, --benchmark-metric and --benchmark-value belong together: give all three."
        )
    return TokenBenchmark(token_id, metric, value)


def _confirm(question: str) -> None:
    """Ask in a terminal; without one nobody can answer, so that `--yes` has to say it."""
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask in: give --yes.")
    if not click.confirm(question, err=True):
        raise click.exceptions.Exit(1)
