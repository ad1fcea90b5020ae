"""Every code block of the documentation runs as it stands there.

A block that cannot be run in a test says why in a comment on the line above it: `<!-- not run: reason -->`.
The README's commands are run by the very programs that a reader runs; Python, and the commands of other pages, by warm
ones (`tests.warm_python`).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.warm_python import programs, warm

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("hokusai-ml-platform/*.md")],
    key=lambda page: page.as_posix(),
)
SKIP = re.compile(r"<!-- not run: (.+) -->")
RUN = ("bash", "python")


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    language: str
    code: str


def blocks() -> list[Block]:
    found = []
    for page in PAGES:
        tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
        previous = ""
        for token in tokens:
            if token.type == "fence" and token.info.strip() in RUN and not SKIP.search(previous):
                line = (token.map or [0])[0] + 1
                found.append(Block(str(page.relative_to(ROOT)), line, token.info.strip(), token.content))
            previous = token.content if token.type in ("html_block", "fence") else ""
    return found


@pytest.fixture(scope="session")
def warm_programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return programs(tmp_path_factory.mktemp("warm") / "bin")


@pytest.mark.parametrize("block", blocks(), ids=lambda block: f"{block.page}:{block.line}")
def test_block_runs(block: Block, tmp_path: Path, warm_programs: Path) -> None:
    venv = Path(sys.executable).parent
    path = [str(warm_programs)] * (block.page != "README.md") + [str(venv), os.environ["PATH"]]
    environment = {
        **os.environ,
        "HOKUSAI_HOME": str(tmp_path / "home"),
        "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(tmp_path),
        "PATH": os.pathsep.join(path),
        "VIRTUAL_ENV": str(venv.parent),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = (
        ["bash", "-euo", "pipefail", "-c", block.code]
        if block.language == "bash"
        else warm("-W", "error", "-c", block.code)
    )
    done = subprocess.run(
        command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_every_page_was_found() -> None:
    assert {"README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"} <= {page.name for page in PAGES}
    assert any(block.language == "python" for block in blocks())
