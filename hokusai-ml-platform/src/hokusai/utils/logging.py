"""Structured logging: an event, its fields, and the run and step that it belongs to.

    log = get_logger(__name__).bind(run_id="r1")
    log.info("data loaded", rows=1200)

People read it on a terminal; machines read it as one JSON object a line. Records travel through the
standard library, so a program that never calls `configure` keeps its own handlers, and what SQLAlchemy or
boto3 log comes out in the same form. Only `configure` loads structlog, which renders; a logger costs nothing.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, TextIO

from hokusai.errors import ConfigurationError
from hokusai.utils.redaction import mask_url_passwords, redact

if TYPE_CHECKING:
    from structlog.typing import Processor

LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
OUR_LOGGERS: Final = ("hokusai", "src")
"""The loggers that `level` is for; other libraries are heard from WARNING on."""

_CONTEXT: ContextVar[Mapping[str, object]] = ContextVar("hokusai_log_context", default={})  # noqa: B039 - never mutated
_HANDLER_NAME = "hokusai"


def configure(
    level: str = "INFO",
    json: bool | None = None,
    stream: TextIO | None = None,
    *,
    colors: bool | None = None,
) -> None:
    """Send this process's log records to `stream`. Call it once, at a door; calling it again replaces it.

    Args:
        level: The least severe level to show, as in PIPELINE_LOG_LEVEL; any case.
        json: One JSON object a line, or text for people. By default text on a terminal, JSON elsewhere.
        stream: Where to write; standard error by default, so that standard output stays for results.
        colors: Colour the text; by default on a terminal.

    Raises:
        ConfigurationError: There is no such level.
    """
    number = logging.getLevelNamesMapping()[checked_level(level)]
    target = stream if stream is not None else sys.stderr
    on_terminal = target.isatty()
    as_json = json if json is not None else not on_terminal
    handler = logging.StreamHandler(target)
    handler.set_name(_HANDLER_NAME)
    handler.setFormatter(_formatter(as_json, on_terminal if colors is None else colors))

    root = logging.getLogger()
    for old in [h for h in root.handlers if h.get_name() == _HANDLER_NAME]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(max(number, logging.WARNING))
    for name in OUR_LOGGERS:
        logging.getLogger(name).setLevel(number)
    logging.captureWarnings(True)


def get_logger(name: str) -> Logger:
    """The logger called `name`, usually `__name__`."""
    return Logger(name)


@contextlib.contextmanager
def log_context(**fields: object) -> Iterator[None]:
    """Add fields, such as `run_id` and `step`, to every record of this task while the block runs.

    Records of other libraries get them too. Blocks nest; a thread or task started inside has its own copy
    of the context only if it was started with one (`asyncio` tasks are, plain threads are not).
    """
    reset = _CONTEXT.set({**_CONTEXT.get(), **fields})
    try:
        yield
    finally:
        _CONTEXT.reset(reset)


def checked_level(level: str) -> str:
    """The level's name in capitals.

    Raises:
        ConfigurationError: There is no such level.

    >>> checked_level("debug")
    'DEBUG'
    """
    name = level.strip().upper() if isinstance(level, str) else ""
    name = {"WARN": "WARNING", "FATAL": "CRITICAL"}.get(name, name)
    if name not in LOG_LEVELS:
        raise ConfigurationError(
            f"{level!r} is not a log level",
            where="PIPELINE_LOG_LEVEL",
            hint=f"Use one of {', '.join(LOG_LEVELS)}.",
        )
    return name


class Logger:
    """A named logger with fields bound to it. Loggers are values: `bind` gives a new one."""

    __slots__ = ("_fields", "name")

    def __init__(self, name: str, fields: Mapping[str, object] | None = None) -> None:
        self.name = name
        self._fields = dict(fields or {})

    def __repr__(self) -> str:
        bound = "".join(f", {key}={value!r}" for key, value in self._fields.items())
        return f"Logger({self.name!r}{bound})"

    def bind(self, **fields: object) -> Logger:
        """This logger with more fields."""
        return Logger(self.name, {**self._fields, **fields})

    def debug(self, event: str, **fields: object) -> None:
        """Log what only somebody who looks for a fault wants to see."""
        self._emit(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Log what went as it should."""
        self._emit(logging.INFO, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Log what somebody should look at, though the work goes on."""
        self._emit(logging.WARNING, event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Log what could not be done."""
        self._emit(logging.ERROR, event, fields)

    def exception(self, event: str, **fields: object) -> None:
        """Log what could not be done, with the exception that is being handled."""
        self._emit(logging.ERROR, event, fields, exc_info=True)

    def _emit(self, level: int, event: str, fields: Mapping[str, object], exc_info: bool = False) -> None:
        logger = logging.getLogger(self.name)
        if logger.isEnabledFor(level):
            shown = {key: redact(value, key) for key, value in {**self._fields, **fields}.items()}
            # The record names the line that logged: not this one, nor the method that called it.
            logger.log(level, _Event(event, shown), exc_info=exc_info, stacklevel=3)


class _Event:
    """A record's message that keeps its fields, and still reads well without a renderer."""

    __slots__ = ("fields", "text")

    def __init__(self, text: str, fields: Mapping[str, object]) -> None:
        self.text = mask_url_passwords(text)
        self.fields = fields

    def __str__(self) -> str:
        return " ".join([self.text, *(f"{key}={value!r}" for key, value in self.fields.items())])


def _formatter(as_json: bool, colors: bool) -> logging.Formatter:
    import structlog

    renderers: list[Processor]
    if as_json:
        renderers = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
        ]
    else:
        renderers = [
            structlog.dev.ConsoleRenderer(
                colors=colors,
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _unpack,
        ],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers, _mask_line],
    )


def _unpack(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Turn the message back into its text and fields, and add the context."""
    message = event["_record"].msg
    fields: dict[str, object] = dict(_CONTEXT.get())
    if isinstance(message, _Event):
        event["event"] = message.text
        fields |= message.fields
    for key, value in fields.items():
        event[key if key not in event else f"{key}_"] = redact(value, key)
    return event


def _mask_line(_logger: object, _method: str, line: Any) -> Any:
    """Blot out passwords in what others wrote, tracebacks included."""
    return mask_url_passwords(line) if isinstance(line, str) else line
