"""Logging: one form for every record, with its context and without secrets."""

from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator

import pytest

from hokusai.errors import ConfigurationError
from hokusai.utils.logging import OUR_LOGGERS, checked_level, configure, get_logger, log_context

PEOPLE_S_FORM = r"\S+Z \[warning +\] disk is filling up +\[hokusai\.test\] share=0\.9\n"


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    """Give the process's logging back as it was."""
    loggers = [logging.getLogger(name) for name in ("", *OUR_LOGGERS)]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    yield
    logging.captureWarnings(False)
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def records(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


class TestJson:
    def test_is_one_object_a_line(self, stream: io.StringIO) -> None:
        configure(stream=stream)
        get_logger("hokusai.test").info("data loaded", rows=1200, path="a\nb.csv")
        (record,) = records(stream)
        assert record.pop("timestamp").endswith("Z")  # type: ignore[attr-defined]
        assert record == {
            "event": "data loaded",
            "level": "info",
            "logger": "hokusai.test",
            "rows": 1200,
            "path": "a\nb.csv",
        }

    def test_holds_what_is_bound_and_what_is_in_the_context(self, stream: io.StringIO) -> None:
        configure(stream=stream)
        logger = get_logger("hokusai.test").bind(step="train_model")
        with log_context(run_id="r1"):
            logger.info("inside")
        logger.info("outside")
        inside, outside = records(stream)
        assert (inside["run_id"], inside["step"]) == ("r1", "train_model")
        assert (outside.get("run_id"), outside["step"]) == (None, "train_model")

    def test_takes_the_records_of_other_libraries(self, stream: io.StringIO) -> None:
        configure(stream=stream)
        with log_context(run_id="r1"):
            logging.getLogger("sqlalchemy").warning("pool of %d is full", 5)
            logging.getLogger("sqlalchemy").info("too fine to be heard")
        (record,) = records(stream)
        assert (record["event"], record["logger"], record["run_id"]) == (
            "pool of 5 is full",
            "sqlalchemy",
            "r1",
        )

    def test_takes_warnings(self, stream: io.StringIO) -> None:
        configure(stream=stream)
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(False)
            logging.captureWarnings(True)  # catch_warnings has put the old hook back
            warnings.warn("old option", stacklevel=1)
        assert "old option" in str(records(stream)[0]["event"])

    def test_tells_an_exception_with_its_traceback(self, stream: io.StringIO) -> None:
        configure(stream=stream)
        try:
            int("redis://:hunter2@cache")
        except ValueError:
            get_logger("hokusai.test").exception("failed", step="x")
        (record,) = records(stream)
        assert "ValueError: invalid literal" in str(record["exception"])
        assert "'redis://:***@cache'" in str(record["exception"])

    def test_does_not_let_a_field_replace_the_record_s_own(self, stream: io.StringIO) -> None:
        configure(stream=stream)
        get_logger("hokusai.test").info("scored", level="high", logger="mine")
        (record,) = records(stream)
        assert (record["level"], record["level_"], record["logger_"]) == ("info", "high", "mine")

    def test_writes_what_json_does_not_know_as_text(self, stream: io.StringIO) -> None:
        configure(stream=stream)
        get_logger("hokusai.test").info("x", value={1})
        assert records(stream)[0]["value"] == "{1}"


class TestSecrets:
    @pytest.mark.parametrize("as_json", [True, False])
    def test_are_blotted_out(self, as_json: bool, stream: io.StringIO) -> None:
        configure(json=as_json, stream=stream)
        with log_context(api_key="hunter2"):
            get_logger("hokusai.test").bind(password="hunter2").info(
                "opening http://me:hunter2@host", headers={"Authorization": "hunter2"}, wallet="0x742d"
            )
            logging.getLogger("urllib3").warning("retry %s", "http://me:hunter2@host")
        assert "hunter2" not in stream.getvalue()
        assert "0x742d" in stream.getvalue()


class TestConfigure:
    def test_writes_for_people_on_a_terminal(self) -> None:
        terminal = Terminal()
        configure(stream=terminal, colors=False)
        get_logger("hokusai.test").warning("disk is filling up", share=0.9)
        assert re.fullmatch(PEOPLE_S_FORM, terminal.getvalue())

    def test_twice_writes_once(self, stream: io.StringIO) -> None:
        configure(stream=io.StringIO())
        configure(stream=stream)
        get_logger("hokusai.test").info("once")
        assert len(records(stream)) == 1

    def test_keeps_the_handlers_of_others(self, stream: io.StringIO) -> None:
        other = logging.NullHandler()
        logging.getLogger().addHandler(other)
        configure(stream=stream)
        assert other in logging.getLogger().handlers

    @pytest.mark.parametrize(
        ("level", "events"), [("DEBUG", ["d", "i", "w"]), ("info", ["i", "w"]), ("WARN", ["w"])]
    )
    def test_shows_from_its_level_on(self, level: str, events: list[str], stream: io.StringIO) -> None:
        configure(level, stream=stream)
        logger = get_logger("hokusai.test")
        logger.debug("d")
        logger.info("i")
        logger.warning("w")
        assert [record["event"] for record in records(stream)] == events

    def test_refuses_a_level_that_is_not_one(self) -> None:
        with pytest.raises(ConfigurationError, match=r"'loud' is not a log level \(PIPELINE_LOG_LEVEL\)"):
            configure("loud")

    @pytest.mark.parametrize(
        ("word", "level"), [("warn", "WARNING"), (" fatal ", "CRITICAL"), ("Info", "INFO")]
    )
    def test_takes_common_spellings(self, word: str, level: str) -> None:
        assert checked_level(word) == level


class TestWithoutConfigure:
    def test_a_record_reads_well_in_anybody_s_handler(self, caplog: pytest.LogCaptureFixture) -> None:
        get_logger("hokusai.test").bind(run_id="r1").warning("not cached", api_key="hunter2")
        assert caplog.messages == ["not cached run_id='r1' api_key='***'"]

    def test_a_record_names_the_line_that_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        get_logger("hokusai.test").warning("here")
        assert caplog.records[0].funcName == "test_a_record_names_the_line_that_logged"

    def test_taking_a_logger_loads_no_renderer(self) -> None:
        code = (
            "import sys; from hokusai.utils.logging import get_logger; get_logger('x').info('y');"
            "sys.exit('structlog' in sys.modules)"
        )
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
