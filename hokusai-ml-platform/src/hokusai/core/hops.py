"""Whether each server that an installation needs can be used: asked all at once, each with a limit of time.

A server that is gone may refuse, or may say nothing at all. So each is asked in a thread that nobody waits for
longer than the limit, and that does not keep the process alive.
"""

from __future__ import annotations

import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hokusai.errors import HokusaiError, IntegrityError
from hokusai.ports import ModelStore

PROBE_MODEL = "hokusai-doctor-probe"
_PROBE_FILE = "probe.txt"


@dataclass(frozen=True, slots=True)
class Hop:
    """Something that must be reached.

    Attributes:
        name: What it is.
        address: Where, without passwords.
        check: Raises if it cannot be used.
    """

    name: str
    address: str
    check: Callable[[], object]


@dataclass(frozen=True, slots=True)
class HopVerdict:
    """Whether it can be used.

    Attributes:
        name, address: As in the hop.
        ok: Whether it can.
        latency_ms: How long it took to answer, once it was open; None where it did not.
        problem, hint: What is wrong, and what to do.
    """

    name: str
    address: str
    ok: bool
    latency_ms: float | None = None
    problem: str = ""
    hint: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.name,
            "address": self.address,
            "ok": self.ok,
            "latency_ms": None if self.latency_ms is None else round(self.latency_ms, 2),
            "problem": self.problem or None,
            "hint": self.hint or None,
        }


def check_hops(hops: Sequence[Hop], timeout_seconds: float) -> list[HopVerdict]:
    """Ask all at once; whoever has not answered after `timeout_seconds` counts as dead."""
    verdicts: dict[str, HopVerdict] = {}
    threads = [
        threading.Thread(target=lambda hop=hop: verdicts.update({hop.name: _asked(hop)}), daemon=True)
        for hop in hops
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + timeout_seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [verdicts.get(hop.name) or _silent(hop, timeout_seconds) for hop in hops]


def probe_artifacts(store: ModelStore) -> None:
    """Write a small file, read it back, and remove it.

    Raises:
        BackendUnavailableError: One of these cannot be done.
        IntegrityError: What was read is not what was written.
    """
    content = secrets.token_bytes(32)
    upload = store.upload(PROBE_MODEL, {_PROBE_FILE: content})
    try:
        with tempfile.TemporaryDirectory(prefix="hokusai-probe-") as folder:
            store.fetch(upload.source, Path(folder))
            if (Path(folder) / _PROBE_FILE).read_bytes() != content:
                raise IntegrityError("What was read is not what was written", where=upload.source)
    finally:
        store.discard(upload.source)


def _asked(hop: Hop) -> HopVerdict:
    try:
        hop.check()  # the first call opens, and imports, what the second one measures without
        began = time.perf_counter()
        hop.check()
    except HokusaiError as problem:
        return HopVerdict(hop.name, hop.address, ok=False, problem=problem.what, hint=problem.hint)
    except Exception as problem:  # noqa: BLE001 - a doctor reports whatever it finds, and goes on
        return HopVerdict(
            hop.name, hop.address, ok=False, problem=f"{type(problem).__name__}: {problem}", hint=""
        )
    return HopVerdict(hop.name, hop.address, ok=True, latency_ms=(time.perf_counter() - began) * 1000)


def _silent(hop: Hop, timeout_seconds: float) -> HopVerdict:
    return HopVerdict(
        hop.name,
        hop.address,
        ok=False,
        problem=f"There was no answer within {timeout_seconds:g} seconds",
        hint="Check the address, and that nothing in between swallows the connection.",
    )
