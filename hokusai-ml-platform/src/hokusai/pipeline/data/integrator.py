"""`DataIntegrator`: contributed data understood, checked, cleaned, merged and accounted for, step by step.

Each step takes a table and gives one of the same kind, pandas or Polars, so that it can be looked at in between. Files
of any size go through all steps at once in `integrate`, which gives the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hokusai.domain.manifest import DataManifest, DatasetHash
from hokusai.domain.schema import DataSchema
from hokusai.errors import InvalidInputError
from hokusai.pipeline.data.column_union import common_columns
from hokusai.pipeline.data.columns import require_columns
from hokusai.pipeline.data.credit import Credited, deduplicate_across
from hokusai.pipeline.data.dataset_hash import dataset_hash
from hokusai.pipeline.data.duplicates import deduplicate
from hokusai.pipeline.data.files import expand_paths
from hokusai.pipeline.data.frames import Frame, to_pandas, to_polars
from hokusai.pipeline.data.history import Histories, History
from hokusai.pipeline.data.kernel import conformed
from hokusai.pipeline.data.merging import How, OnConflict, Repeats, merge
from hokusai.pipeline.data.near_duplicates import THRESHOLD, deduplicate_nearly
from hokusai.pipeline.data.quality_report import QualityReport
from hokusai.pipeline.data.reading import open_tables
from hokusai.pipeline.data.recipe import Recipe, typed
from hokusai.pipeline.data.sampling import stratified_sample
from hokusai.pipeline.data.scan import ReadOptions, Reject
from hokusai.pipeline.data.schema import as_schema, require, set_aside
from hokusai.pipeline.data.streaming import Integration, Progress, integrate_files
from hokusai.pipeline.data.table_account import assess_table, manifest_of_table
from hokusai.ports import BatchEngine
from hokusai.privacy.policy import PiiPolicy
from hokusai.privacy.provided import default_tokenizer
from hokusai.privacy.scrub import ColumnGate, scrub, with_categories
from hokusai.privacy.tokens import Tokenizer
from hokusai.utils.logging import get_logger
from hokusai.utils.text import meant

if TYPE_CHECKING:
    pass

_log = get_logger(__name__)


class DataIntegrator:
    """Integrates contributed data.

    Args:
        random_seed: For samples; the same seed gives the same rows on any machine.
        schema: What must hold of every row: a `DataSchema`, the path of a YAML file, or a pandera schema.
        pii: What happens to personal data: a policy, or one action for all of it (`hash`, `mask`, `drop`, `report`).
        tokenizer: Makes the tokens of `hash`; by default with the configured key.
        read: What is known about files; its `on_error` says whether rows at fault refuse a file or are set aside.
        frames: What kind of table `load_data` gives.

    >>> import polars as pl
    >>> integrator = DataIntegrator(pii="mask")
    >>> data = pl.DataFrame({"query_id": [1, 1, 2], "label": ["a", "a", "b"], "note": ["hi", "hi", "ada@example.org"]})
    >>> integrator.validate_schema(data, ["query_id", "label"])
    True
    >>> clean = integrator.deduplicate(integrator.remove_pii(data))
    >>> clean["note"].to_list()
    ['hi', '[email]']
    >>> integrator.manifest(clean).rows
    RowAccount(read=3, kept=2, rejected=0, duplicates=1, near_duplicates=0)
    """

    def __init__(
        self,
        random_seed: int = 42,
        *,
        schema: object = None,
        pii: PiiPolicy | Mapping[str, Any] | str | None = None,
        tokenizer: Tokenizer | None = None,
        read: ReadOptions | None = None,
        frames: Literal["polars", "pandas"] = "polars",
    ) -> None:
        if frames not in ("polars", "pandas"):
            raise InvalidInputError(
                f"{frames!r} is no kind of table", where="frames", hint=meant(frames, ["polars", "pandas"])
            )
        self.random_seed = random_seed
        self.schema = as_schema(schema) if schema is not None else None
        self.pii = _policy(pii)
        self.read = read or ReadOptions()
        self._tokenizer, self._frames = tokenizer, frames
        self._histories = Histories()

    def __repr__(self) -> str:
        schema = "no schema" if self.schema is None else f"a schema of {len(self.schema.columns)} columns"
        return f"DataIntegrator(seed {self.random_seed}, {schema}, personal data: {self.pii.default})"

    def load_data(
        self,
        path: str | Path | Sequence[str | Path],
        run_id: str = "",
        metaflow_run_id: str = "",
        *,
        read: ReadOptions | None = None,
    ) -> Frame:
        """Read one file, several, or a glob, from here or from S3, into one table.

        CSV, TSV, JSON, JSON Lines, Parquet and Arrow, also with gzip or zstd; what a file is, its bytes say.

        Args:
            path: What to read.
            run_id: Of the run that asks; for the log.
            metaflow_run_id: Likewise.
            read: What is known about these files; by default what the integrator was given.

        Raises:
            DataError: A file cannot be read in full; the text names the line and what to do.
            SchemaError: The files do not fit together.
        """
        import polars as pl

        options = typed(read or self.read, self.schema)
        scans = open_tables(expand_paths(path), options)
        for scan in scans:
            require_columns(list(scan.schema), self.schema.required if self.schema else (), scan.source.name)
        columns = common_columns(scans)
        parts = [conformed(batch, columns) for scan in scans for batch in scan.batches()]
        rows = pl.concat(parts) if parts else pl.DataFrame(schema=columns)
        history = History.of_scans(scans, rows.height)
        _log.info(
            "Data loaded",
            files=[scan.source.name for scan in scans],
            rows=rows.height,
            rejected=history.account.rejected,
            run_id=run_id or None,
            metaflow_run_id=metaflow_run_id or None,
        )
        table: Frame = to_pandas(rows) if self._frames == "pandas" else rows
        return self._kept(table, history)

    def validate_schema(
        self, df: Frame, required_columns: Iterable[str] = (), *, schema: object = None
    ) -> Literal[True]:
        """Check that the columns are there, and that every row is as the schema says.

        Raises:
            SchemaError: They are not; the report names rows, columns, what was found and what was expected.
        """
        rows, _ = to_polars(df)
        wanted = self._schema(schema)
        require(rows, required_columns, wanted)
        if wanted is not None:
            told = {"schema_sha256": wanted.digest}
            self._kept(df, self._history(df, rows.height).after("validate_schema", rows.height, told))
        return True

    def reject_invalid(self, df: Frame, *, schema: object = None) -> Frame:
        """Set the rows aside that break the schema, each with its reason (`rejects`).

        Raises:
            SchemaError: Columns are missing, so that no row can fit.
            InvalidInputError: There is no schema.
        """
        wanted = self._schema(schema)
        if wanted is None:
            raise InvalidInputError("There is no schema to hold the rows against", hint="Give one: schema=…")
        rows, give_back = to_polars(df)
        kept, result = set_aside(rows, wanted)
        history = self._history(df, rows.height)
        gone = history.numbered(result.rejects())
        return self._kept(
            give_back(kept),
            history.after("validate_schema", kept.height, {"schema_sha256": wanted.digest}, rejects=gone),
        )

    def remove_pii(self, df: Frame, pii_columns: Sequence[str] | None = None, *, pii: object = None) -> Frame:
        """Take people's data out, as the policy says: by content, and by the names of columns.

        Args:
            df: The table.
            pii_columns: Columns whose every cell is personal, whatever it looks like.
            pii: Another policy than the integrator's.

        Raises:
            ConfigurationError: The policy hashes, and there is no key.
        """
        policy = self.pii if pii is None else _policy(pii)
        if pii_columns:
            policy = replace(policy, personal=tuple(dict.fromkeys((*policy.personal, *pii_columns))))
        rows, give_back = to_polars(df)
        gate = ColumnGate.decide(rows, policy)
        cleaned, counts = scrub(rows, policy, self._keyed(policy), gate=gate)
        history = self._history(df, rows.height).after(
            "remove_pii", cleaned.height, policy.to_dict(), pii=counts, notes=gate.notes()
        )
        return self._kept(give_back.changed(with_categories(cleaned, rows)), history)

    def deduplicate(
        self,
        df: Frame,
        subset: str | Sequence[str] | None = None,
        *,
        keep: Literal["first", "last", "none"] = "first",
        against: Frame | None = None,
    ) -> Frame:
        """Leave out rows that repeat another one, in all columns or in those of `subset`.

        A row with a mask there, such as `[email]`, repeats none; to compare what was masked, do this first.

        Args:
            df: The table.
            subset: Columns that make rows the same; all, if absent.
            keep: Which of them stays.
            against: Data that was there before, such as the base data: what stands there already is left out too.
        """
        if against is None:
            kept, account = deduplicate(df, subset, keep)
        else:
            _, mine = deduplicate_across([("against", against), ("df", df)], subset)
            kept, account = mine.frame, mine.account
        details = {"subset": [subset] if isinstance(subset, str) else list(subset or ()), "keep": keep}
        history = self._history(df, account.read).after(
            "deduplicate", account.kept, details, duplicates=account.duplicates
        )
        return self._kept(kept, history)

    def deduplicate_across(
        self, contributions: Sequence[tuple[str, Frame]], subset: str | Sequence[str] | None = None
    ) -> tuple[Credited, ...]:
        """Leave out rows that an earlier contribution has: who gave a row first keeps the credit."""
        credited = deduplicate_across(contributions, subset)
        for (_, table), mine in zip(contributions, credited, strict=True):
            history = self._history(table, mine.account.read).after(
                "deduplicate_across",
                mine.account.kept,
                {"repeated": dict(mine.repeated)},
                duplicates=mine.account.duplicates,
            )
            self._kept(mine.frame, history)
        return credited

    def deduplicate_nearly(
        self,
        df: Frame,
        columns: str | Sequence[str] | None = None,
        *,
        within: Sequence[str] = (),
        threshold: float = THRESHOLD,
    ) -> Frame:
        """Leave out rows whose text says nearly the same as an earlier row's; see `near_duplicates`."""
        kept, account, found = deduplicate_nearly(
            df, columns, within=within, threshold=threshold, seed=self.random_seed
        )
        details = {"columns": list(found.columns), "within": list(within), "threshold": threshold}
        history = self._history(df, account.read).after(
            "deduplicate_nearly",
            account.kept,
            details,
            duplicates=account.duplicates,
            near_duplicates=account.near_duplicates,
        )
        return self._kept(kept, history)

    def merge_datasets(
        self,
        base: Frame,
        new: Frame,
        how: How = "append",
        *,
        key: str | Sequence[str] | None = None,
        on_conflict: OnConflict = "new",
        repeats: Repeats = "raise",
    ) -> Frame:
        """Join new rows with the base data; see `merging.merge`. The result is of the base's kind of table.

        Raises:
            SchemaError: The two do not fit together, or it is open which row a key means.
        """
        result = merge(base, new, how, key=key, on_conflict=on_conflict, repeats=repeats)
        details = {
            "how": how,
            "key": list(result.key),
            "base_rows": result.base_rows,
            "added": result.added,
            "changed": result.changed,
            "unchanged": result.unchanged,
            "conflicts": dict(result.conflicts),
        }
        history = self._history(new, result.account.read).after(
            "merge_datasets",
            (0 if how == "replace" else result.base_rows) + result.added,
            details,
            rejects=result.rejects,
            duplicates=result.account.duplicates,
            notes=result.notes,
        )
        before = self._history(base, result.base_rows)
        return self._kept(result.frame, replace(history, base=before.sources))

    def stratified_sample(self, df: Frame, sample_size: int, stratify_column: str) -> Frame:
        """Rows in which the values of a column are as frequent as in all; the same for the same seed, anywhere."""
        return stratified_sample(df, sample_size, stratify_column, seed=self.random_seed)

    def calculate_data_hash(self, df: Frame) -> str:
        """What identifies the rows in their order, 64 hex digits: the same whatever file or table they are in."""
        return self.dataset_hash(df).data_hash

    def dataset_hash(self, df: Frame) -> DatasetHash:
        """The hash in full: of the rows in their order, and in any order."""
        return dataset_hash(to_polars(df)[0])

    def create_data_manifest(self, df: Frame, data_path: str | Path | None = None) -> dict[str, Any]:
        """The manifest as the specification writes it."""
        given = self.manifest(df).to_dict()
        return (
            {**given, "source_path": Path(data_path).name}
            if data_path and not given["source_path"]
            else given
        )

    def assess_quality(
        self,
        df: Frame,
        target: str | None = None,
        *,
        base: Frame | None = None,
        features: Sequence[str] = (),
        weights: Mapping[str, float] | None = None,
    ) -> QualityReport:
        """How good the rows are, part by part; with base data also how far they are from it.

        Args:
            df: The table.
            target: The column that is predicted.
            base: The base data.
            features: What it is predicted from; by default all other columns but those that only identify a row.
            weights: Part to weight, instead of 1.

        Raises:
            SchemaError: There is no such column.
            ConfigurationError: A weight is for no part.
        """
        rows = to_polars(df)[0]
        return assess_table(
            rows,
            self._history(df, rows.height),
            target,
            base=None if base is None else to_polars(base)[0],
            features=features,
            schema=self.schema,
            weights=weights,
        )

    def manifest(self, df: Frame, *, quality: QualityReport | None = None) -> DataManifest:
        """The full account of a table and of how it came to be; by default with the quality of the table itself."""
        rows = to_polars(df)[0]
        return manifest_of_table(rows, self._history(df, rows.height), quality or self.assess_quality(df))

    def rejects(self, df: Frame) -> tuple[Reject, ...]:
        """Rows that were set aside on the way to this table."""
        rows, _ = to_polars(df)
        return self._history(df, rows.height).rejects

    def integrate(
        self,
        path: str | Path | Sequence[str | Path],
        output: str | Path | None = None,
        *,
        base: str | Path | Sequence[str | Path] | None = None,
        how: How = "append",
        key: str | Sequence[str] = (),
        target: str | None = None,
        features: Sequence[str] = (),
        near_text: Sequence[str] = (),
        rejects: str | Path | None = None,
        manifest: str | Path | None = None,
        memory_budget_bytes: int | None = None,
        engine: BatchEngine | None = None,
        progress: Progress | None = None,
    ) -> Integration:
        """All steps at once, for files of any size; see `streaming.integrate_files`.

        The rows are those of `load_data`, `reject_invalid`, `remove_pii`, `deduplicate(…, against=base)` and
        `merge_datasets`, one after the other; unless `how` is `update`, the `key` is the `subset` of `deduplicate`.
        Where the policy masks or drops, `deduplicate` comes before `remove_pii`: afterwards nobody can tell.
        A row that repeats an earlier one counts as a duplicate here, where `reject_invalid` counts it as not unique if
        the schema wants a column to be.
        """
        recipe = Recipe(
            self.schema,
            self.pii,
            near_text=tuple(near_text),
            how=how,
            key=(key,) if isinstance(key, str) else tuple(key),
            target=target,
            features=tuple(features),
            seed=self.random_seed,
            read=self.read,
        )
        return integrate_files(
            path,
            output,
            base=base,
            recipe=recipe,
            tokenizer=self._keyed(self.pii),
            rejects=rejects,
            manifest=manifest,
            memory_budget_bytes=memory_budget_bytes,
            engine=engine,
            progress=progress,
        )

    def _keyed(self, policy: PiiPolicy) -> Tokenizer | None:
        if policy.hashes and self._tokenizer is None:
            self._tokenizer = default_tokenizer()
        return self._tokenizer

    def _schema(self, given: object) -> DataSchema | None:
        return as_schema(given) if given is not None else self.schema

    def _history(self, df: Frame, rows: int) -> History:
        return self._histories.of(df, rows)

    def _kept(self, table: Frame, history: History) -> Frame:
        self._histories.keep(table, history)
        return table


def _policy(given: object) -> PiiPolicy:
    if isinstance(given, PiiPolicy):
        return given
    if isinstance(given, Mapping):
        return PiiPolicy.parse(given)
    return PiiPolicy() if given is None else PiiPolicy(default=given)  # type: ignore[arg-type]  # it checks the word
