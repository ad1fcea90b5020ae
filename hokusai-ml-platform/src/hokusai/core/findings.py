"""Something that is not as it should be: what it means, and what mends it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

_LEFTOVER_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        name: Which kind; stable.
        subject: What it concerns.
        meaning: What it means, in words.
        remedy: What mends it, in words.
        fix: Mends it, and says what was done; None where a person has to decide.
        is_fault: Whether it has to be mended; otherwise it is only worth knowing.
        details: What the audit entry of its repair says besides.
    """

    name: str
    subject: str
    meaning: str
    remedy: str
    fix: Callable[[], str] | None = field(default=None, repr=False, compare=False)
    is_fault: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.name,
            "subject": self.subject,
            "meaning": self.meaning,
            "remedy": self.remedy,
            "repairable": self.fix is not None,
            "fault": self.is_fault,
        }


def leftovers(home: Path, patterns: Mapping[str, str], now_seconds: float | None = None) -> Iterator[Finding]:
    """Drafts that a process which was killed left in the folder `home`.

    Args:
        home: The folder.
        patterns: Pattern of a name to what such a thing is.
        now_seconds: What time it is.
    """
    now = time.time() if now_seconds is None else now_seconds
    for pattern, what in patterns.items():
        for path in sorted(home.glob(pattern)):
            if now - path.lstat().st_mtime > _LEFTOVER_SECONDS:
                yield Finding(
                    "draft-left-behind",
                    str(path),
                    f"{what}: the process that made it was killed",
                    "It is removed.",
                    fix=partial(_removed, path),
                )


def _removed(path: Path) -> str:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    return "removed"
