"""The whole integration of files of any size: read, check, clean, find duplicates, merge, hash, write, account for.

Memory holds a batch and some bytes a row, never the rows. In the first pass each batch goes through the kernel; its
cleaned rows are staged and its digests logged. The logs then tell, piece by piece, which rows repeat earlier ones and
which replace rows of the base data. In the second pass the result is written, and summed up as it goes by. Where
little data waits in memory (see `planner`) the same things happen, only without files.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hokusai.domain.manifest import ColumnSummary, DataManifest, RowAccount, Transformation
from hokusai.domain.schema import ColumnRule, DataSchema
from hokusai.domain.schema_report import MOST_ROWS, Rule, SchemaProblem, SchemaReport
from hokusai.errors import InvalidInputError, SchemaError
from hokusai.pipeline.data.checks import raise_unless_ok
from hokusai.pipeline.data.column_states import ColumnStates
from hokusai.pipeline.data.column_union import common_columns
from hokusai.pipeline.data.columns import require_columns, selected
from hokusai.pipeline.data.digest_log import DigestLog, first_match
from hokusai.pipeline.data.files import expand_paths
from hokusai.pipeline.data.gathering import gathered
from hokusai.pipeline.data.kernel import Kernel, Processed
from hokusai.pipeline.data.near_duplicates import THRESHOLD, near_duplicates
from hokusai.pipeline.data.numbering import Numbering
from hokusai.pipeline.data.planner import Choice, choose
from hokusai.pipeline.data.quality_report import QualityReport
from hokusai.pipeline.data.quality_state import QualityState, quality_report
from hokusai.pipeline.data.reading import open_table
from hokusai.pipeline.data.rejects import RejectsWriter
from hokusai.pipeline.data.row_digests import row_digests
from hokusai.pipeline.data.scan import ReadOptions, Reject, TableScan
from hokusai.pipeline.data.shipping import packed, shipped, unpacked
from hokusai.pipeline.data.source_file import check_conservation
from hokusai.pipeline.data.staged import FilePart, Side
from hokusai.pipeline.data.uniqueness import expected_of
from hokusai.pipeline.data.work_folder import work_folder
from hokusai.pipeline.data.writers import output_format, writing
from hokusai.ports import BatchEngine
from hokusai.privacy.policy import PiiPolicy
from hokusai.privacy.scrub import ColumnGate, PiiCounts
from hokusai.privacy.tokens import Tokenizer
from hokusai.utils.files import check_writable, move_into_place

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

GATE_ROWS = 100_000
"""From so many kept rows it is decided which columns hold one kind of personal data."""

How = Literal["append", "replace", "update"]
Progress = Callable[[str, int, int | None], None]
"""Is told what is being done, how many rows of it, and of how many if that is known."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is done to the rows that come in.

    Attributes:
        schema: What must hold of every row.
        pii: What happens to personal data; None leaves it as it is.
        deduplicate: Whether rows that repeat an earlier one, also one of the base data, are left out.
        near_text: Columns of text in which rows that say nearly the same as an earlier one are left out too; these
            columns are held in memory.
        how: `append` puts the new rows behind the base rows; `replace` takes them instead; `update` by `key` puts
            them where the base data has their key, and the others behind.
        key: The columns that identify a row, for `update`.
        target: The column that is predicted, for the quality of its labels.
        seed: Of what is drawn: the hashes by which near duplicates are found.
        quality: Whether the quality of what came in is assessed.
        read: What is known of the files; its `on_error` also says what the schema's faults do.
    """

    schema: DataSchema | None = None
    pii: PiiPolicy | None = field(default_factory=PiiPolicy)
    deduplicate: bool = True
    near_text: tuple[str, ...] = ()
    how: How = "append"
    key: tuple[str, ...] = ()
    target: str | None = None
    seed: int = 42
    quality: bool = True
    read: ReadOptions = field(default_factory=ReadOptions)


@dataclass(frozen=True, slots=True)
class Integration:
    """What came of it.

    Attributes:
        manifest: The full account.
        by_source: The account of each contributed file, in order; they add up to `manifest.rows`.
        report: The problems that the schema found, if there was one.
        output: The file with the result, if one was asked for.
    """

    manifest: DataManifest
    by_source: tuple[tuple[str, RowAccount], ...]
    report: SchemaReport | None = None
    output: Path | None = None


def integrate_files(
    contributed: str | Path | Sequence[str | Path],
    output: str | Path | None = None,
    *,
    base: str | Path | Sequence[str | Path] | None = None,
    recipe: Recipe | None = None,
    tokenizer: Tokenizer | None = None,
    rejects: str | Path | None = None,
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
        memory_budget_bytes: How much may wait in memory; by default a quarter of what is free.
        engine: Where batches are checked, cleaned and digested; by default in this process.
        progress: Is told how far it is.

    Raises:
        DataError: A file cannot be read in full.
        SchemaError: Rows break the schema, or the files do not fit together.
        InvalidInputError: What was asked for contradicts itself.
    """
    recipe = recipe or Recipe()
    _check(recipe, has_base=base is not None)
    tell = progress or (lambda _what, _done, _total: None)
    out, listed = (Path(path) if path is not None else None for path in (output, rejects))
    if out is not None:
        output_format(out)
    for path in (out, listed):
        if path is not None:
            check_writable(path)
    with contextlib.ExitStack() as stack:
        tell("Reading", 0, None)
        read = typed(recipe.read, recipe.schema)
        new = [open_table(path, read) for path in expand_paths(contributed)]
        old = [
            open_table(path, replace(read, on_error="raise")) for path in (expand_paths(base) if base else ())
        ]
        choice = choose(new + old, memory_budget_bytes, engine)
        folder = stack.enter_context(work_folder(out.parent if out is not None else None))
        with RejectsWriter(folder / "rejects.jsonl" if listed is not None else None) as listing:
            run = _Run(recipe, tokenizer, choice, folder, stack, listing, tell, engine)
            unnamed = folder / f"output{out.suffix}" if out is not None else None
            done = run.integrate(new, old, unnamed)
        for made, wanted in ((folder / "rejects.jsonl", listed), (unnamed, out)):
            if made is not None and wanted is not None:
                move_into_place(made, wanted)
        return replace(done, output=out)


def _check(recipe: Recipe, *, has_base: bool) -> None:
    if recipe.how not in ("append", "replace", "update"):
        raise InvalidInputError(
            f"{recipe.how!r} is no way to merge", where="how", hint="Use append, replace or update."
        )
    if recipe.how == "update" and not (has_base and recipe.key):
        what = "base data" if recipe.key else "key columns"
        raise InvalidInputError(f"An update needs {what}", where="how", hint="Name both, or use append.")


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
        self.schema = _with_keys(recipe.schema, recipe.key) if recipe.how == "update" else recipe.schema
        self.pii = PiiCounts()
        self.report = SchemaReport()
        self.gate: ColumnGate | None = None
        self.untold: tuple[str, ...] = ()
        """Columns of which an update says nothing: rows that are replaced keep what they have there."""

    def integrate(self, new: list[TableScan], old: list[TableScan], output: Path | None) -> Integration:
        """All of it."""
        for scan in new:
            require_columns(list(scan.schema), self.schema.required if self.schema else (), scan.source.name)
        told = {name for scan in new for name in scan.schema}
        columns = common_columns([*old, *new])
        if self.recipe.how == "update":
            self.untold = tuple(name for name in columns if name not in told)
        kernel = Kernel(
            columns=columns,
            schema=self.schema,
            policy=self.recipe.pii,
            tokenizer=self.tokenizer,
            key=self.recipe.key if self.recipe.how == "update" else (),
            compared=tuple(name for name in columns if name in told) if self.untold else (),
        )
        self.gate = self._gate(kernel, old or new)
        kernel = replace(kernel, gate=self.gate)
        base = self._first_pass(old, "base", replace(kernel, schema=None))
        self.pii, self.report = PiiCounts(), SchemaReport()  # the account is of what came in
        fresh = self._first_pass(new, "new", kernel)
        self._raise_if_strict()

        repeated = self._repeated(fresh, base)
        clashing = self._clashing(fresh, repeated)
        near = self._nearly_repeated(fresh, base, ~(repeated | clashing))
        kept = ~(repeated | clashing | near)
        replaces = self._replaced(fresh, base, kept)
        accounts = tuple(
            (file.name, _account(file, repeated[at], clashing[at], near[at])) for file, at in fresh.slices()
        )

        columns = kernel.result_columns
        log = self.closing.enter_context(DigestLog(self.folder))
        result = _Result(log, columns, self.recipe.target, has_base=base.height > 0)
        with contextlib.ExitStack() as stack:
            writer = stack.enter_context(writing(output, columns)) if output is not None else None
            for rows, digests, contributed in self._result_rows(base, fresh, kept, replaces):
                result.add(rows, digests, contributed)
                if writer is not None:
                    writer.write(rows)
                self.tell("Writing", result.height, None)
            manifest = self._manifest(new, fresh, base, accounts, result, columns, replaces)
        return Integration(manifest, accounts, self.report if self.schema else None)

    # The first pass

    def _gate(self, kernel: Kernel, scans: Sequence[TableScan]) -> ColumnGate | None:
        """Which columns hold one kind of personal data, by the first rows that are kept."""
        import polars as pl

        if kernel.policy is None:
            return None
        found: list[pl.DataFrame] = []
        for scan in scans:
            for batch in scan.batches():
                found.append(kernel.checked(batch, scan.source.name)[0])
                if sum(frame.height for frame in found) >= GATE_ROWS:
                    break
            else:
                continue
            break
        sample = pl.concat(found).head(GATE_ROWS)
        return ColumnGate.decide(sample, kernel.policy)

    def _first_pass(self, scans: Sequence[TableScan], name: str, kernel: Kernel) -> Side:
        side = Side(name, len(kernel.unique_keys), self.folder, self.closing, in_memory=self.choice.in_memory)
        total = sum(scan.rows_read for scan in scans)
        for scan in scans:
            self.listing.add_all(scan.rejects)
            side.files.append(FilePart(scan.source.name, scan.rows_read, [r.row for r in scan.rejects]))
            passed = 0
            for height, done in self._processed(scan, kernel, Numbering(side.files[-1].rejected)):
                passed += height
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

    def _raise_if_strict(self) -> None:
        if self.strict or self.report.of_table:
            raise_unless_ok(self.report)

    # What becomes of the rows that passed

    def _repeated(self, fresh: Side, base: Side) -> NDArray[np.bool_]:
        """Which rows repeat an earlier one, of the base data or of the contributions."""
        import numpy as np

        if not self.recipe.deduplicate:
            return np.zeros(fresh.height, dtype=bool)
        self.tell("Finding duplicates", 0, fresh.height)
        repeated = fresh.digests.duplicates()
        if base.height and self.recipe.how != "replace":
            repeated |= first_match(fresh.digests, base.digests) >= 0
        return repeated

    def _clashing(self, fresh: Side, repeated: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which of the others have a value that must be unique, and that an earlier row has.

        Raises:
            SchemaError: There are some, and rows are not to be set aside.
        """
        import numpy as np

        clashing = np.zeros(fresh.height, dtype=bool)
        for key, log in zip(self.schema.unique_keys if self.schema else (), fresh.unique, strict=True):
            again = log.duplicates(among=~(repeated | clashing))
            if again.any():
                self._reject(fresh, again, key)
            clashing |= again
        self._raise_if_strict()
        return clashing

    def _nearly_repeated(self, fresh: Side, base: Side, left: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which of the rows that are left say nearly the same as an earlier one; base rows that stay come first."""
        import numpy as np
        import polars as pl

        near = np.zeros(fresh.height, dtype=bool)
        if not self.recipe.near_text:
            return near
        self.tell("Finding near duplicates", 0, int(left.sum()))
        columns = list(self.recipe.near_text)
        before = base if self.recipe.how == "append" else None
        parts = [selected(rows, columns) for side in (before, fresh) if side for rows in side.stage.batches()]
        n_before = before.height if before else 0
        taking_part = np.concatenate([np.ones(n_before, dtype=bool), left])
        texts = pl.concat(parts).filter(pl.Series(taking_part))
        first = near_duplicates(texts, columns, seed=self.recipe.seed).first_row
        places = np.flatnonzero(taking_part)[first != np.arange(len(first))] - n_before
        near[places[places >= 0]] = True
        return near

    def _reject(self, fresh: Side, again: NDArray[np.bool_], key: tuple[str, ...]) -> None:
        import numpy as np

        column, expected = ", ".join(key), expected_of(key)
        for file, at in fresh.slices():
            numbers = Numbering(file.rejected).of(np.flatnonzero(again[at]))
            if not len(numbers):
                continue
            problem = SchemaProblem(
                Rule.NOT_UNIQUE,
                column,
                expected,
                count=len(numbers),
                rows=tuple(numbers[:MOST_ROWS].tolist()),
                source=file.name,
            )
            self.report = self.report + SchemaReport((problem,), 0, len(numbers))
            self.listing.add_all(
                Reject(file.name, int(row), str(Rule.NOT_UNIQUE), column, f"expected {expected}")
                for row in numbers
            )

    def _replaced(self, fresh: Side, base: Side, kept: NDArray[np.bool_]) -> NDArray[np.int64]:
        """For each row that passed the row of the base data that it replaces, or -1.

        Raises:
            SchemaError: Two rows have the same key, so that it is open which one is meant.
        """
        import numpy as np

        if self.recipe.how != "update":
            return np.full(fresh.height, -1, dtype=np.int64)
        key = ", ".join(self.recipe.key)
        again = np.flatnonzero(base.key.duplicates())
        if len(again):
            raise _ambiguous("The base data", key, again + 1)
        places = first_match(fresh.key.digests, base.key.digests)
        twice = np.flatnonzero(fresh.key.duplicates(among=kept))
        if len(twice):
            file, at = next((f, at) for f, at in fresh.slices() if at.start <= twice[0] < at.stop)
            raise _ambiguous(file.name, key, Numbering(file.rejected).of(twice[twice < at.stop] - at.start))
        return np.where(kept, places, -1)

    # The second pass

    def _result_rows(
        self, base: Side, fresh: Side, kept: NDArray[np.bool_], replaces: NDArray[np.int64]
    ) -> Iterator[tuple[pl.DataFrame, NDArray[np.uint8], pl.DataFrame | None]]:
        """The rows of the result in order, with their digests, and those of them that were contributed."""
        import numpy as np
        import polars as pl

        start = 0
        newer = np.flatnonzero(replaces >= 0)
        newer = newer[np.argsort(replaces[newer])]
        older = replaces[newer]
        for rows in base.stage.batches() if self.recipe.how != "replace" else ():
            stop = start + rows.height
            first, last = np.searchsorted(older, (start, stop))
            if first < last:
                at = older[first:last] - start
                taken = fresh.stage.take(newer[first:last]).with_columns(selected(rows[at], self.untold))
                order = np.arange(rows.height)
                order[at] = rows.height + np.arange(taken.height)
                replaced = pl.concat([rows, taken])[order]
                yield replaced, row_digests(replaced), taken
            else:
                yield rows, self._digests(rows, base, start), None
            start = stop
        start, added = 0, kept & (replaces < 0)
        for rows in fresh.stage.batches():
            stop = start + rows.height
            mask = added[start:stop]
            if mask.any():
                left = rows if mask.all() else rows.filter(pl.Series(mask))
                yield left, self._digests(rows, fresh, start)[mask], left
            start = stop

    def _digests(self, rows: pl.DataFrame, side: Side, start: int) -> NDArray[np.uint8]:
        """The digests of staged rows: those of the first pass, unless they were of some columns only."""
        return row_digests(rows) if self.untold else side.digests.read(start, start + rows.height)

    def _manifest(
        self,
        scans: Sequence[TableScan],
        fresh: Side,
        base: Side,
        accounts: Sequence[tuple[str, RowAccount]],
        result: _Result,
        columns: Mapping[str, pl.DataType],
        replaces: NDArray[np.int64],
    ) -> DataManifest:
        account = sum((account for _, account in accounts), RowAccount(0, 0))
        return DataManifest(
            hash=result.log.dataset_hash(columns),
            columns=result.summaries(columns),
            rows=account,
            sources=tuple(scan.source for scan in scans),
            pii=self.pii.summary(),
            rejects=dict(self.listing.counts),
            quality=self._quality(result, account).to_dict() if self.recipe.quality else None,
            transformations=tuple(self._steps(fresh, base, account, int((replaces >= 0).sum()))),
            notes=(
                *(f"{scan.source.name}: {note}" for scan in scans for note in scan.notes),
                *(self.gate.notes() if self.gate else ()),
            ),
            engine=str(self.choice),
        )

    def _quality(self, result: _Result, account: RowAccount) -> QualityReport:
        return quality_report(
            result.contributed,
            account,
            base=result.base,
            schema_checked=self.schema is not None,
            label_noise=self.recipe.target is not None,
        )

    def _steps(self, fresh: Side, base: Side, account: RowAccount, replaced: int) -> Iterator[Transformation]:
        read = sum(file.read for file in fresh.files)
        passed = fresh.height
        if self.schema is not None:
            yield Transformation("validate_schema", read, passed, {"schema_sha256": self.schema.digest})
        if self.recipe.pii is not None:
            yield Transformation("remove_pii", passed, passed, self.recipe.pii.to_dict())
        if self.recipe.deduplicate:
            exact = account.duplicates - account.near_duplicates
            yield Transformation("deduplicate", passed, passed - exact)
        distinct = passed - account.duplicates + account.near_duplicates
        if distinct - account.near_duplicates > account.kept:
            yield Transformation("reject_repeated_keys", distinct, account.kept + account.near_duplicates)
        if self.recipe.near_text:
            details = {"columns": list(self.recipe.near_text), "threshold": THRESHOLD}
            yield Transformation(
                "deduplicate_nearly", account.kept + account.near_duplicates, account.kept, details
            )
        if base.height:
            rows = account.kept + (base.height - replaced if self.recipe.how != "replace" else 0)
            told: dict[str, Any] = {"how": self.recipe.how, "base_rows": base.height, "changed": replaced}
            if self.recipe.how == "update":
                told |= {"key": list(self.recipe.key), "added": account.kept - replaced}
            yield Transformation("merge", account.kept, rows, told)


class _Result:
    """The result, as it goes by."""

    def __init__(
        self, log: DigestLog, columns: Mapping[str, pl.DataType], target: str | None, *, has_base: bool
    ) -> None:
        self.log, self.height = log, 0
        self.contributed = QualityState(columns, target=target)
        self.base = QualityState(columns, target=target) if has_base else None
        self._all = ColumnStates(columns) if has_base else self.contributed.columns

    def add(self, rows: pl.DataFrame, digests: NDArray[np.uint8], contributed: pl.DataFrame | None) -> None:
        """Take in the next rows."""
        self.log.append(digests)
        self.height += rows.height
        if contributed is not None:
            self.contributed.see(contributed)
        if self.base is not None:
            self._all.see(rows)
            if contributed is not rows:
                self.base.see(rows)

    def summaries(self, columns: Iterable[str]) -> tuple[ColumnSummary, ...]:
        """What each column holds, in the order of the columns."""
        found = {summary.name: summary for summary in self._all.summaries()}
        return tuple(found[name] for name in columns)


def typed(read: ReadOptions, schema: DataSchema | None) -> ReadOptions:
    """What is known of files, the types in the schema too."""
    return replace(read, types={**schema.types, **read.types}) if schema else read


def _account(
    file: FilePart, repeated: NDArray[np.bool_], clashing: NDArray[np.bool_], near: NDArray[np.bool_]
) -> RowAccount:
    nearly = int(near.sum())
    duplicates, rejected = int(repeated.sum()) + nearly, len(file.rejected) + int(clashing.sum())
    return RowAccount(file.read, file.read - duplicates - rejected, rejected, duplicates, nearly)


def _with_keys(schema: DataSchema | None, key: Sequence[str]) -> DataSchema:
    """The schema in which the key columns also must have a value: a row without one can be merged nowhere."""
    rules = {rule.name: rule for rule in (schema.columns if schema else ())}
    keyed = {
        name: replace(rules.get(name) or ColumnRule(name), nullable=False, required=True) for name in key
    }
    return replace(schema or DataSchema(), columns=tuple({**rules, **keyed}.values()))


def _numbers(start: int, height: int, numbering: Numbering) -> pl.Series:
    import numpy as np
    import polars as pl

    return pl.Series(numbering.of(np.arange(start, start + height)))


def _ambiguous(name: str, key: str, rows: Sequence[int] | NDArray[np.int64]) -> SchemaError:
    shown = ", ".join(f"{row:,}" for row in rows[:10])
    return SchemaError(
        f"{len(rows):,} rows have a key ({key}) that an earlier row has, so that it is open which one counts: "
        f"row {shown}",
        where=name,
        hint="Keep one row for each key.",
    )
