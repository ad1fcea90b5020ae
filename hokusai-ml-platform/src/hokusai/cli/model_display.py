"""Versions of models as people and programs are shown them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hokusai.cli.output import ago, moment, pairs, shortened, size, styled
from hokusai.core.promotion import board_key
from hokusai.domain.stages import Stage, StageBoard
from hokusai.errors import HokusaiError

if TYPE_CHECKING:
    from rich.text import Text

    from hokusai.core.registry import ModelRegistry
    from hokusai.domain.comparison import VersionComparison
    from hokusai.domain.records import ModelRecord

Boards = Mapping[str, StageBoard | None]
"""Model name to its stages; None where they cannot be read now."""

STAGE_STYLES = {Stage.PRODUCTION: "bold green", Stage.STAGING: "bold yellow", Stage.DEVELOPMENT: "bold blue"}
_VERDICT_STYLES = {"better": "green", "worse": "red"}
_METRICS_SHOWN = 3
_COLUMNS_SHOWN = 8


def boards_of(registry: ModelRegistry, records: Iterable[ModelRecord]) -> Boards:
    """The stages of all models that `records` are versions of."""
    return {name: _board(registry, name) for name in dict.fromkeys(record.name for record in records)}


def told(boards: Boards, record: ModelRecord) -> dict[str, Any]:
    """A version as JSON values, with its stage; one whose tags cannot be read says why in `faults`."""
    stage = _stage(boards, record)
    return {**record.to_dict(), "stage": stage.value if stage else None}


def list_rows(boards: Boards, records: Sequence[ModelRecord]) -> Iterator[tuple[str | Text, ...]]:
    """For each version: id, stage, metrics, contributor, age, and what else is to be known of it."""
    for record in records:
        gone = record.deleted is not None
        metrics: str | Text
        try:
            metrics, contributor = _some(record.metrics), shortened(str(record.contributor or ""))
        except HokusaiError as problem:
            metrics, contributor = styled(problem.what, "red"), ""
        yield (
            styled(record.model_id, "dim" if gone else "bold"),
            _staged(boards, record),
            metrics,
            contributor,
            ago(record.created_at),
            _marks(record),
        )


def facts_of(boards: Boards, record: ModelRecord) -> dict[str, str | Text]:
    """Everything that is known of a version, name to text; empty texts where nothing is known."""
    stored = record.stored
    by = f" by {record.actor}" if record.actor else ""
    return {
        "model": styled(record.model_id, "bold"),
        "stage": _staged(boards, record),
        "deprecated": styled(record.deprecated or "yes", "yellow") if record.deprecated is not None else "",
        "deleted": styled(record.deleted or "yes", "red") if record.deleted is not None else "",
        "description": record.description,
        "registered": f"{moment(record.created_at)} ({ago(record.created_at)}){by}",
        "type": record.model_type,
        "stored as": f"{stored.format}, {size(stored.size_bytes)}, {len(stored.files)} files"
        if stored
        else "",
        "SHA-256": record.sha256 or "",
        "input": _columns(stored.signature, "inputs") if stored else "",
        "output": _columns(stored.signature, "outputs") if stored else "",
        "parameters": pairs(stored.params) if stored else "",
        "metrics": pairs(record.metrics),
        "baseline": "yes" if record.is_baseline else "",
        "parent": record.parent_id or "",
        "change": ", ".join(f"{name} {value:+.6g}" for name, value in record.delta.items()),
        "contributor": _contributor(record),
        "contribution": pairs(record.contribution),
        "token": _token(record),
        "tags": pairs(record.free_tags),
        "metadata": pairs(record.metadata),
        "MLflow": f"version {record.number} of {record.name}"
        + (f", run {record.run_id}" if record.run_id else ""),
        "files": record.source,
    }


def comparison_rows(found: VersionComparison) -> Iterator[tuple[str | Text, ...]]:
    """For each thing compared: its name, both values, and the difference, in green or red where it is judged."""
    verdicts = {change.name: change.verdict for change in found.metrics}
    for name, a, b, difference in found.rows():
        yield name, a, b, styled(difference, _VERDICT_STYLES.get(verdicts.get(name, ""), ""))


def in_stage(stage: Stage) -> Text:
    """A stage in its colour."""
    return styled(stage.value, STAGE_STYLES[stage])


def _board(registry: ModelRegistry, name: str) -> StageBoard | None:
    try:
        return registry.stages.board(name)
    except HokusaiError:
        # The index goes on answering while MLflow is away, or one history cannot be read; the registry has said so.
        return None


def _stage(boards: Boards, record: ModelRecord) -> Stage | None:
    board = boards[record.name]
    return board.stage_of(board_key(board, record)) if board else None


def _staged(boards: Boards, record: ModelRecord) -> str | Text:
    stage = _stage(boards, record)
    if stage is not None:
        return in_stage(stage)
    return "" if boards[record.name] is not None else styled("unknown", "dim")


def _some(metrics: Mapping[str, float]) -> str:
    shown = ", ".join(f"{name} {value:.6g}" for name, value in list(metrics.items())[:_METRICS_SHOWN])
    rest = len(metrics) - _METRICS_SHOWN
    return f"{shown}, and {rest} more" if rest > 0 else shown


def _marks(record: ModelRecord) -> str | Text:
    if record.deleted is not None:
        return styled("deleted", "red")
    if record.deprecated is not None:
        return styled("deprecated", "yellow")
    return styled("baseline", "dim") if record.is_baseline else ""


def _contributor(record: ModelRecord) -> str:
    wallet = record.contributor
    if wallet is None:
        return ""
    return str(wallet) if wallet.payable else f"{wallet} (an opaque id, not payable)"


def _token(record: ModelRecord) -> str | Text:
    try:
        token = record.token
    except HokusaiError as problem:  # somebody set the tags in MLflow
        return styled(f"unusable: {problem}", "red")
    return f"{token.token_id}, {token.metric} from {token.value:.6g}" if token else ""


def _columns(signature: Mapping[str, Any] | None, side: str) -> str:
    """Inputs or outputs of MLflow's signature in one line."""
    columns = (signature or {}).get(side)
    try:
        columns = json.loads(columns) if isinstance(columns, str) else columns
        shown = [_column(column) for column in columns or ()]
    except (ValueError, TypeError, KeyError, AttributeError):
        return str(columns)
    rest = len(shown) - _COLUMNS_SHOWN
    return ", ".join(shown[:_COLUMNS_SHOWN]) + (f", and {rest} more" if rest > 0 else "")


def _column(column: Mapping[str, Any]) -> str:
    spec = column.get("tensor-spec")
    kind = f"{spec['dtype']}[{'x'.join(map(str, spec['shape']))}]" if spec else str(column["type"])
    return f"{column['name']}: {kind}" if column.get("name") else kind
