"""The end of a run: its results are published whole, and its journal reaches the tracking server, now or later.

Order matters. Everything is first laid out in a folder of its own under HOKUSAI_HOME (the spool), and once more
in the output folder under a hidden name, so that neither depends on the server; then the server is told; then
the output files appear. A server that is lost on the way costs nothing: the spool stays, and
`hokusai pipeline flush` delivers it. Whoever works on a spool holds the lock of its folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hokusai.core.models.mlmodel_file import mlflow_files
from hokusai.domain.journal import RunJournal, TrackedRun
from hokusai.domain.model import ModelArtifact
from hokusai.errors import ConflictError, DataError, HokusaiError, InvalidInputError, NotFoundError
from hokusai.ports import RunStore
from hokusai.utils.files import write_atomically
from hokusai.utils.logging import get_logger

_SPOOL = "journals"
_JOURNAL = "journal.json"
_ARTIFACTS = "artifacts"
_log = get_logger(__name__)


@dataclass(frozen=True)
class RunOutputs:
    """What a run hands over: the output files, and the files that only the tracking server gets.

    `delta_output` has no tracking ids yet; they are filled in on publication. `zk_output` is None where its
    format cannot say what was found.
    """

    run_id: str
    delta_output: Mapping[str, Any]
    attestation: bytes
    report: str
    predictions: bytes
    zk_output: Mapping[str, Any] | None
    models: Mapping[str, ModelArtifact]
    other_files: Mapping[str, bytes]

    def file_names(self) -> dict[str, str]:
        """Kind of output to file name."""
        return {
            "delta_output": f"delta_output_{self.run_id}.json",
            "attestation": f"attestation_{self.run_id}.json",
            "report": f"report_{self.run_id}.html",
            "predictions": f"predictions_{self.run_id}.parquet",
            **({} if self.zk_output is None else {"zk_output": f"delta_output_zk_{self.run_id}.json"}),
        }


@dataclass(frozen=True, slots=True)
class Publication:
    """Where a run's results are.

    Attributes:
        files: Kind of output to its path.
        tracked: The runs on the tracking server; None if it was lost before there were any.
        spool: The folder that waits to be flushed; None if nothing waits.
        reason: Why it waits.
    """

    files: Mapping[str, Path]
    tracked: TrackedRun | None
    spool: Path | None = None
    reason: str = ""


def publish(
    outputs: RunOutputs, journal: RunJournal, runs: RunStore, home: Path, output_dir: Path
) -> Publication:
    """Write the output files and deliver the journal.

    What the store of runs raises fails nothing: the results do not depend on it. It is logged, the journal is
    kept, and the answer says so.

    Raises:
        InvalidInputError: The output folder or the spool cannot be written; then nothing was.
    """
    spool = home / _SPOOL / outputs.run_id
    names = outputs.file_names()
    with _new_spool(spool), _staging(output_dir) as staging:
        try:
            _lay_out(spool, outputs, journal)
            _write(_contents(outputs, None), staging)
        except BaseException:
            _remove(spool)  # a run that fails here has delivered nothing, and leaves nothing to deliver
            raise
        tracked: TrackedRun | None = None
        reason = ""
        try:
            tracked = runs.open_runs(journal)
        except HokusaiError as problem:
            reason = str(problem)
        else:
            _write(_contents(outputs, tracked), staging, spool / _ARTIFACTS)
        _put_in_place(names.values(), staging, output_dir)
        if tracked is not None:
            try:
                runs.write(journal, tracked, spool / _ARTIFACTS)
                _remove(spool)
            except HokusaiError as problem:
                reason = str(problem)
    files = {kind: output_dir / name for kind, name in names.items()}
    if not reason:
        return Publication(files, tracked)
    _log.warning(
        "The run is not tracked yet; its journal is kept",
        reason=reason,
        journal=str(spool),
        deliver_it_with="hokusai pipeline flush",
    )
    return Publication(files, tracked, spool, reason)


def waiting_journals(home: Path) -> list[Path]:
    """The spools that wait to be delivered, in the order in which they were laid out."""
    journals = (home / _SPOOL).glob(f"*/{_JOURNAL}")
    return [path.parent for path in sorted(journals, key=lambda path: (path.stat().st_mtime_ns, path))]


def flush(spool: Path, runs: RunStore) -> TrackedRun:
    """Deliver a journal that was kept, and remove its spool.

    Raises:
        NotFoundError: There is no journal in `spool`; somebody else may have delivered it.
        ConflictError: Somebody else is at work on it.
        DataError: It cannot be read.
        BackendUnavailableError: The server is still away; nothing was removed.
    """
    with _locked(spool):
        try:
            journal = RunJournal.from_dict(json.loads((spool / _JOURNAL).read_bytes()))
        except FileNotFoundError as problem:
            raise _delivered(spool) from problem
        except (OSError, ValueError) as problem:
            raise DataError(
                f"The journal is damaged: {problem}",
                where=str(spool / _JOURNAL),
                hint=f"The run's files are in {spool / _ARTIFACTS}; remove the folder when you have them.",
            ) from problem
        tracked = runs.open_runs(journal)
        file = spool / _ARTIFACTS / f"delta_output_{journal.run_id}.json"
        if file.exists():
            write_atomically(file, delta_output_bytes(json.loads(file.read_bytes()), tracked))
        runs.write(journal, tracked, spool / _ARTIFACTS)
        _remove(spool)
    return tracked


def _lay_out(spool: Path, outputs: RunOutputs, journal: RunJournal) -> None:
    """Everything that is to be delivered; the journal comes last, and makes it valid."""
    artifacts = spool / _ARTIFACTS
    for role, model in outputs.models.items():
        folder = artifacts / "models" / role
        _make(folder)
        _write({model.file_name: model.content, **mlflow_files(model)}, folder)
    _make(artifacts)
    _write({**outputs.other_files, **_contents(outputs, None)}, artifacts)
    _write({_JOURNAL: json.dumps(journal.to_dict(), indent=1).encode()}, spool)


def delta_output_bytes(output: Mapping[str, Any], tracked: TrackedRun | None) -> bytes:
    """The DeltaOne JSON as it stands in a file, with the ids of the runs where they are known."""
    filled = dict(output)
    if tracked is not None:
        for model, step in (("baseline_model", "load_baseline_model"), ("new_model", "train_new_model")):
            filled[model] = {**filled[model], "mlflow_run_id": tracked.step_run_ids.get(step)}
    text = json.dumps(filled, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode(errors="backslashreplace")  # a file name need not be UTF-8; what is not is escaped


def _contents(outputs: RunOutputs, tracked: TrackedRun | None) -> dict[str, bytes]:
    contents = {
        "delta_output": delta_output_bytes(outputs.delta_output, tracked),
        "attestation": outputs.attestation,
        "report": outputs.report.encode(errors="backslashreplace"),
        "predictions": outputs.predictions,
    }
    if outputs.zk_output is not None:
        contents["zk_output"] = json.dumps(outputs.zk_output, indent=2, allow_nan=False).encode() + b"\n"
    return {outputs.file_names()[kind]: content for kind, content in contents.items()}


def _write(files: Mapping[str, bytes], *folders: Path) -> None:
    for folder in folders:
        for name, content in files.items():
            write_atomically(folder / name, content)


def _put_in_place(names: Iterable[str], staging: Path, output_dir: Path) -> None:
    for name in names:
        try:
            (staging / name).replace(output_dir / name)
        except OSError as problem:
            raise InvalidInputError(
                f"The output cannot be put in its place: {problem.strerror}",
                where=str(output_dir / name),
                hint="Remove what is there, or choose another folder with --output-dir.",
            ) from problem


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise InvalidInputError(
            f"The folder cannot be made: {problem.strerror}",
            where=str(folder),
            hint="Choose one that you may write to: --output-dir, or HOKUSAI_HOME.",
        ) from problem


@contextlib.contextmanager
def _staging(output_dir: Path) -> Iterator[Path]:
    """A hidden folder in the output folder: a file moves from one to the other in one piece."""
    _make(output_dir)
    try:
        folder = tempfile.TemporaryDirectory(prefix=".hokusai-", dir=output_dir, ignore_cleanup_errors=True)
    except OSError as problem:
        raise InvalidInputError(
            f"The output folder cannot be written: {problem.strerror}",
            where=str(output_dir),
            hint="Choose another one with --output-dir.",
        ) from problem
    with folder as name:
        yield Path(name)


@contextlib.contextmanager
def _new_spool(spool: Path) -> Iterator[None]:
    """An empty, locked folder; what an earlier attempt at the same run left is removed."""
    lock = None
    while lock is None:
        _make(spool)
        with contextlib.suppress(NotFoundError):  # somebody delivered, and removed, the earlier attempt
            lock = _lock(spool, wait=True)
    try:
        (spool / _JOURNAL).unlink(missing_ok=True)
        shutil.rmtree(spool / _ARTIFACTS, ignore_errors=True)
        yield
    finally:
        os.close(lock)


@contextlib.contextmanager
def _locked(spool: Path) -> Iterator[None]:
    lock = _lock(spool, wait=False)
    try:
        yield
    finally:
        os.close(lock)


def _lock(spool: Path, *, wait: bool) -> int:
    """Lock a folder; the lock ends when the descriptor is closed, or its process ends."""
    try:
        folder = os.open(spool, os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError) as problem:
        raise _delivered(spool) from problem
    try:
        fcntl.flock(folder, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        os.close(folder)
        raise ConflictError(
            "The journal is being delivered by somebody else", where=str(spool), hint="Look again later."
        ) from problem
    if not spool.exists() or not os.path.samestat(spool.stat(), os.fstat(folder)):
        os.close(folder)
        raise _delivered(spool)  # while we waited
    return folder


def _delivered(spool: Path) -> NotFoundError:
    return NotFoundError(
        "There is no journal to deliver", where=str(spool), hint="Somebody else may have delivered it."
    )


def _remove(spool: Path) -> None:
    (spool / _JOURNAL).unlink(missing_ok=True)  # without it, nothing there counts
    shutil.rmtree(spool, ignore_errors=True)
