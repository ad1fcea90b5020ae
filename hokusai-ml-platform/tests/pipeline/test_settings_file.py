"""The settings file as a file: what is read at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hokusai.errors import ConfigurationError
from hokusai.pipeline.settings_file import read_settings_file


@pytest.mark.parametrize("name", ["pipe", "/dev/zero"])
def test_a_pipe_or_a_device_is_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigurationError, match=r"cannot be read: it is a pipe.*Check --settings"):
        read_settings_file(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "said"),
    [("[" * 5000, "nested too deeply"), ("seed: 1\n" + "#" * (1 << 20), "longer than"), ("\x00", "not YAML")],
)
def test_text_that_is_none_of_ours(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match=said):
        read_settings_file(tmp_path / "s.yaml")
