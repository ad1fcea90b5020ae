"""The whole integration of files of any size: read, check, clean, find duplicates, merge, hash, write, account for.

Memory holds a batch and some bytes a row, never the rows. In the first pass each batch goes through the kernel; its
cleaned rows are staged and its digests logged. The logs then tell, piece by piece, which rows repeat earlier ones and
which replace rows of the base data. In the second pass the result is written, and summed up as it goes by. Where
little data waits in memory (see `planner`) the same things happen, only without files.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from hokusai.domain.manifest import DataManifest, RowAccount
from hokusai.domain.schema_report import SchemaReport
from hokusai.errors import HokusaiError
from hokusai.pipeline.data.account import account_of, notes, steps
from hokusai.pipeline.data.checks import raise_unless_ok, report_of_unread
from hokusai.pipeline.data.column_union import common_columns
from hokusai.pipeline.data.columns import require_columns, require_named
from hokusai.pipeline.data.digest_log import DigestLog
from hokusai.pipeline.data.files import expand_paths
from hokusai.pipeline.data.gathering import gathered
from hokusai.pipeline.data.identifiers import FIRST_ROWS, no_features
from hokusai.pipeline.data.kernel import Kernel, Processed
from hokusai.pipeline.data.key_update import require_telling_keys
from hokusai.pipeline.data.numbering import Numbering
from hokusai.pipeline.data.planner import Choice, choose
from hokusai.pipeline.data.quality_report import QualityReport
from hokusai.pipeline.data.quality_state import quality_report
from hokusai.pipeline.data.reading import open_tables
from hokusai.pipeline.data.recipe import Recipe, check_recipe, require_policy_columns, typed, with_keys
from hokusai.pipeline.data.rejects import RejectsWriter
from hokusai.pipeline.data.result import Result, first_kept_rows, result_batches, without_range
from hokusai.pipeline.data.row_fates import RowFates
from hokusai.pipeline.data.row_sample import RowSample
from hokusai.pipeline.data.scan import LocatingScan, Reject, TableScan
from hokusai.pipeline.data.shipping import packed, shipped, unpacked
from hokusai.pipeline.data.shown_names import tell_places
from hokusai.pipeline.data.source_file import check_conservation
from hokusai.pipeline.data.staged import FilePart, Side
from hokusai.pipeline.data.work_folder import work_folder
from hokusai.pipeline.data.writers import check_held, output_format, writing
from hokusai.pipeline.data.written_files import write_manifest, written_file
from hokusai.ports import BatchEngine
from hokusai.privacy.policy import PiiAction, PiiPolicy
from hokusai.privacy.scrub import ColumnGate, PiiCounts
from hokusai.privacy.stand_ins import other_key_notes, token_keys
from hokusai.privacy.tokens import Tokenizer
from hokusai.utils.files import check_no_overwrite, check_writable, move_into_place

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Integration", "Progress", "Recipe", "integrate_files"]

GATE_ROWS = 100_000
"""From so many kept rows it is decided which columns hold one kind of personal data."""

_SETTING_ASIDE = (
    " (`hokusai data check` shows them), or set them aside: --rejects FILE, or ReadOptions(on_error='reject')"
)

Progress = Callable[[str, int, int | None], None]
"""Is told what is being done, how many rows of it, and of how many if that is known."""


@dataclass(frozen=True, slots=True)
class Integration:
    """What came of it.

    Attributes:
        manifest: The full account.
        by_source: The account of each contributed file, in order; they add up to `manifest.rows`.
        report: The problems that the schema found, if there was one.
        output: The file with the result, if one was asked for.
        quality: Of the rows that were kept, if it was asked for.
        samples: Of the contributed rows that were kept, and of the base data if there is some.
    """

    manifest: DataManifest
    by_source: tuple[tuple[str, RowAccount], ...]
    report: SchemaReport | None = None
    output: Path | None = None
    quality: QualityReport | None = None
    samples: tuple[RowSample, RowSample | None] | None = None


def integrate_files(
    contributed: str | Path | Sequence[str | Path],
    output: str | Path | None = None,
    *,
    base: str | Path | Sequence[str | Path] | None = None,
    recipe: Recipe | None = None,
    tokenizer: Tokenizer | None = None,
    rejects: str | Path | None = None,
    manifest: str | Path | None = None,
    memory_budget_bytes: int | None = None,
    engine: BatchEngine | None = None,
    progress: Progress | None = None,
) -> Integration:
    """Integrate contributed files, with base data or without, into one file.

    Args:
        contributed: Files, globs or `s3://` names; the earlier of two equal rows keeps the credit.
        output: Where the result goes, in the format of its suffix; without one, only the account is made.
        base: Files of the base data.
        recipe: What is done to the rows.
        tokenizer: What makes tokens, where the policy hashes.
        rejects: Where rejected rows are listed (JSON Lines); wanted where rows may be rejected.
        manifest: Where the account goes (JSON). It is written last, and has the digests of the other two files: by
            them one can tell whether all are of one run.
        memory_budget_bytes: How much may wait in memory; by default a quarter of what is free.
        engine: Where batches are checked, cleaned and digested; by default in this process.
        progress: Is told how far it is.

    Raises:
        DataError: A file cannot be read in full.
        SchemaError: Rows break the schema, or the files do not fit together.
        InvalidInputError: What was asked for contradicts itself.
    """
    recipe = recipe or Recipe()
    check_recipe(recipe, has_base=base is not None)
    tell = progress or (lambda _what, _done, _total: None)
    out, listed, told = (Path(path) if path is not None else None for path in (output, rejects, manifest))
    wanted = [path for path in (out, listed, told) if path is not None]
    if out is not None:
        output_format(out)
    for path in wanted:
        check_writable(path)
    with contextlib.ExitStack() as stack:
        tell("Reading", 0, None)
        read = typed(recipe.read, recipe.schema)
        named, before = expand_paths(contributed), expand_paths(base) if base else ()
        check_no_overwrite([*named, *before], wanted)
        # With a schema all faults are told at once, those of the reader among them.
        new_read = read if recipe.schema is None else replace(read, on_error="reject")
        new = open_tables(named, new_read)
        old = open_tables(before, replace(read, on_error="raise"))
        choice = choose(new + old, memory_budget_bytes, engine)
        folder = stack.enter_context(work_folder(out.parent if out is not None else None))
        taken_out = recipe.pii is not None and (recipe.pii.hides or recipe.pii.hashes)
        list_made = folder / "rejects.jsonl" if listed is not None else None
        with RejectsWriter(list_made, digests=not taken_out) as listing:
            run = _Run(recipe, tokenizer, choice, folder, stack, listing, tell, engine)
            unnamed = folder / f"output{''.join(out.suffixes[-2:])}" if out is not None else None
            try:
                done = run.integrate(new, old, unnamed)
            except HokusaiError as problem:
                tell_places(problem, run.shown)
                raise
        files = [("rejects", folder / "rejects.jsonl", listed), ("output", unnamed, out)]
        ready = [(role, made, path) for role, made, path in files if made is not None and path is not None]
        if told is not None:
            written = tuple(written_file(role, made, path, told) for role, made, path in ready)
            done = replace(done, manifest=replace(done.manifest, written=written))
        for _, made, path in ready:
            move_into_place(made, path)
        if told is not None:
            write_manifest(done.manifest, told)
        return replace(done, output=out)


class _Run:
    """One integration, from scans to the result."""

    def __init__(
        self,
        recipe: Recipe,
        tokenizer: Tokenizer | None,
        choice: Choice,
        folder: Path,
        closing: contextlib.ExitStack,
        listing: RejectsWriter,
        tell: Progress,
        engine: BatchEngine | None,
    ) -> None:
        self.engine = engine
        self.recipe, self.tokenizer, self.choice = recipe, tokenizer, choice
        self.folder, self.closing, self.listing, self.tell = folder, closing, listing, tell
        self.strict = recipe.read.on_error == "raise"
        self.schema = with_keys(recipe.schema, recipe.key) if recipe.how == "update" else recipe.schema
        self.pii = PiiCounts()
        self.report = SchemaReport()
        self.gate: ColumnGate | None = None
        self.token_keys: list[tuple[str, frozenset[str]]] = []
        """By file, the keys of the tokens that it holds already."""
        self.untold: tuple[str, ...] = ()
        """Columns of which an update says nothing: rows that are replaced keep what they have there."""
        self.shown: dict[str, str] = {}
        """Each column's name in the result, once that is known."""

    def integrate(self, new: list[TableScan], old: list[TableScan], output: Path | None) -> Integration:
        """All of it."""
        target = (self.recipe.target,) if self.recipe.target else ()
        for scan in new:
            required = self.recipe.schema.required if self.recipe.schema else ()
            require_columns(list(scan.schema), required, scan.source.name)
            wanted = (*target, *self.recipe.features, *self.recipe.near_text)
            require_named(list(scan.schema), wanted, scan.source.name)
        for scan in (*old, *new):
            require_named(list(scan.schema), self.recipe.key, scan.source.name)
        told = {name for scan in new for name in scan.schema}
        columns = common_columns([*old, *new])
        if self.recipe.pii is not None:
            require_policy_columns(self.recipe.pii, list(columns))
        if output is not None:
            check_held(output, columns)
        if self.recipe.how == "update":
            self.untold = tuple(name for name in columns if name not in told)
        kernel = Kernel(
            columns=columns,
            schema=self.schema,
            policy=self.recipe.pii,
            tokenizer=self.tokenizer,
            key=self.recipe.key,
            partial_keys=self.recipe.repeats_by_key,
            compared=tuple(name for name in columns if name in told) if self.untold else (),
            near_text=tuple(dict.fromkeys(self.recipe.near_text)),
        )
        self.gate = self._gate(kernel, [*old, *new])
        kernel = self._named_as_shown(replace(kernel, gate=self.gate))
        kernel.require_kept((*target, *self.recipe.features))
        self.tell("Cleaning", 0, None)
        base = self._first_pass(old, "base", replace(kernel, schema=None))
        base_key_id = self.pii.key_id
        self.pii, self.report = PiiCounts(), SchemaReport()  # the account is of what came in
        fresh = self._first_pass(new, "new", kernel)
        if self.recipe.schema is not None:
            self.report = self.report + report_of_unread(reject for scan in new for reject in scan.rejects)
        if self.recipe.how == "update":  # which key is meant is open until the faults are gone
            self._refuse_faults()

        self.tell("Finding duplicates", 0, fresh.height)
        fates = RowFates.of(fresh, base, self.recipe, self.schema, self._set_aside)
        self._refuse_faults()
        columns = fresh.columns or kernel.result_columns
        log = self.closing.enter_context(DigestLog(self.folder))
        ignored = self._ignored(fresh, fates, list(columns))
        result = Result(log, columns, self.recipe.target, has_base=base.height > 0, ignored=ignored)
        stays = base if self.recipe.how != "replace" else None
        again = bool(self.untold) or (self.recipe.pii is not None and self.recipe.pii.hides)
        with contextlib.ExitStack() as stack:
            writer = stack.enter_context(writing(output, columns)) if output is not None else None
            for batch in result_batches(stays, fresh, fates, self.untold, digest_again=again):
                result.add(batch)
                if writer is not None:
                    writer.write(batch.rows)
                self.tell("Writing", result.height, None)
            written = writer.notes() if writer is not None else ()
        accounts = tuple((file.name, account_of(file, fates, at)) for file, at in fresh.slices())
        account = sum((account for _, account in accounts), RowAccount(0, 0))
        quality = self._quality(result, account) if self.recipe.quality else None
        personal = self.gate.personal | {finding.column for finding in self.pii.summary().findings}
        manifest = DataManifest(
            hash=result.log.dataset_hash(columns),
            columns=tuple(without_range(one, personal) for one in result.summaries(columns)),
            rows=account,
            sources=tuple(scan.source for scan in new),
            base=tuple(scan.source for scan in old),
            pii=self.pii.summary(),
            rejects=dict(self.listing.counts),
            quality=quality.to_dict() if quality else None,
            transformations=tuple(steps(self.recipe, self.schema, new, fresh, base, account, fates, result)),
            notes=(
                *notes(self.recipe, self.gate, old, new, fresh),
                *other_key_notes(self.token_keys, self.pii.key_id or base_key_id),
                *written,
            ),
            engine=str(self.choice),
        )
        return Integration(
            manifest,
            accounts,
            self.report if self.schema else None,
            quality=quality,
            samples=(result.contributed.sample, result.base.sample if result.base else None),
        )

    def _named_as_shown(self, kernel: Kernel) -> Kernel:
        """From here on columns have the names that the policy leaves: a name may be personal data itself."""
        self.shown = shown = kernel.names_shown()
        compared = kernel.names_compared()
        self.recipe = replace(
            self.recipe,
            key=tuple(shown[name] for name in self.recipe.key),
            near_text=tuple(shown[name] for name in self.recipe.near_text),
        )
        self.untold = tuple(shown[name] for name in self.untold)
        return replace(
            kernel,
            key=tuple(compared[name] for name in kernel.key),
            compared=tuple(compared[name] for name in kernel.compared),
            near_text=tuple(compared[name] for name in kernel.near_text),
        )

    # The first pass

    def _gate(self, kernel: Kernel, scans: Sequence[TableScan]) -> ColumnGate:
        """Which columns hold one kind of personal data: those that do in the first kept rows of any file."""
        import polars as pl

        policy = kernel.policy or PiiPolicy(default=PiiAction.REPORT)
        samples = []
        for scan in scans:
            if (first := next(scan.batches(), None)) is not None:
                samples.append(first)
                self.token_keys.append((scan.source.name, token_keys(first.head(GATE_ROWS))))
        gates = [
            ColumnGate.decide(kernel.checked(sample, "")[0].head(GATE_ROWS), policy)
            for sample in samples or [pl.DataFrame(schema=kernel.columns)]
        ]
        return reduce(ColumnGate.joined, gates)

    def _first_pass(self, scans: Sequence[TableScan], name: str, kernel: Kernel) -> Side:
        side = Side(name, len(kernel.unique_keys), self.folder, self.closing, in_memory=self.choice.in_memory)
        total = sum(scan.rows_read for scan in scans)
        for scan in scans:
            self.listing.add_all(scan.rejects)
            if isinstance(scan, LocatingScan):
                self.listing.locate_by(scan.source.name, scan.locate)
            side.files.append(FilePart(scan.source.name, scan.rows_read, [r.row for r in scan.rejects]))
            passed = 0
            for height, done in self._processed(scan, kernel, Numbering(side.files[-1].rejected)):
                passed += height
                if self.recipe.how == "update":
                    require_telling_keys(done.rows, self.recipe.key, scan.source.name, done.pii)
                self.listing.add_all(done.rejects)
                self.pii = self.pii + done.pii
                self.report = self.report + done.report
                side.add(done)
                self.tell("Cleaning", side.height, total)
            check_conservation(scan.source.name, scan.rows_read, passed + len(scan.rejects))
        return side

    def _processed(
        self, scan: TableScan, kernel: Kernel, numbering: Numbering
    ) -> Iterator[tuple[int, Processed]]:
        """Each batch's height and what became of it, here or wherever the engine works."""
        heights: list[int] = []

        def numbered() -> Iterator[tuple[pl.DataFrame, pl.Series]]:
            start = 0
            for batch in gathered(scan.batches()):
                heights.append(batch.height)
                yield batch, _numbers(start, batch.height, numbering)
                start += batch.height

        if self.engine is None:
            for batch, numbers in numbered():
                yield batch.height, kernel(batch, scan.source.name, numbers)
            return
        tables = (packed(batch, scan.source.name, numbers) for batch, numbers in numbered())
        for number, table in self.engine.map_batches(tables, shipped(kernel)):
            yield heights[number], unpacked(table)

    def _set_aside(self, report: SchemaReport, rejects: Iterable[Reject]) -> None:
        """Take in what the schema found."""
        self.report = self.report + report
        self.listing.add_all(rejects)

    def _refuse_faults(self) -> None:
        """Raise all that was found, where no row may be set aside."""
        if self.strict or self.report.of_table:
            raise_unless_ok(self.report, hint=_SETTING_ASIDE)

    # The account

    def _quality(self, result: Result, account: RowAccount) -> QualityReport:
        return quality_report(
            result.contributed,
            account,
            base=result.base,
            schema_checked=self.schema is not None,
            label_noise=self.recipe.target is not None,
        )

    def _ignored(self, fresh: Side, fates: RowFates, columns: Sequence[str]) -> tuple[str, ...]:
        """The columns that nothing is predicted from."""
        rows, recipe = first_kept_rows(fresh, fates, FIRST_ROWS), self.recipe
        key = recipe.key if recipe.how == "update" else ()
        return no_features(rows, columns, recipe.target, recipe.features, self.schema, key)


def _numbers(start: int, height: int, numbering: Numbering) -> pl.Series:
    import numpy as np
    import polars as pl

    return pl.Series(numbering.of(np.arange(start, start + height)))
