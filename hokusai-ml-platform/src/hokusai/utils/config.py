"""Settings: every environment variable that Hokusai knows, read here and nowhere else.

A variable that is read where it happens to be needed is found wrong only when that line runs, an hour into a
job. So a door (the command line, the API, the flow) loads `Settings` once, at its start, gets every fault at
once and in words, and passes the values on. With nothing set, everything lives in one folder, `./.hokusai`.

Only `Settings.load` looks at the environment; `Settings(home=…)` does not, so a test gets what it wrote.
(Hence a plain pydantic model: pydantic-settings, told that fields may be given by name, reads variables by
those names too, and takes the shell's HOME for `home`.)
"""

from __future__ import annotations

import difflib
import os
import warnings
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo

from hokusai.errors import ConfigurationError
from hokusai.utils.logging import checked_level
from hokusai.utils.redaction import mask_url_passwords

_SERVED_SCHEMES: Final = ("http", "https", "databricks", "databricks-uc")
_NOT_SETTINGS: Final = ("HOKUSAI_LOCAL_ENGINE", "HOKUSAI_ORCHESTRATOR_PID", "HOKUSAI_PROGRESS_FILE")
"""What the flow's own processes hand to each other, before any setting is read: nothing to warn of."""


def _env(variable: str, default: Any, expected: str, **limits: Any) -> Any:
    extra: dict[str, Any] = {"variable": variable}
    return Field(
        default=default, description=expected, json_schema_extra=extra, validate_default=True, **limits
    )


class Settings(BaseModel):
    """What the environment and the `.env` file say, checked; immutable.

    Secrets print as `**********`, and URLs without their passwords.

    >>> Settings(tracking_uri="http://mlflow:5000").mlflow_uri
    'http://mlflow:5000'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path = _env("HOKUSAI_HOME", Path(".hokusai"), "a folder for whatever has no server of its own")
    tracking_uri: str | None = _env("MLFLOW_TRACKING_URI", None, "an MLflow server or database URI")
    experiment_name: str = _env(
        "MLFLOW_EXPERIMENT_NAME",
        "hokusai-pipeline",
        "an experiment name of 1 to 500 characters",
        min_length=1,
        max_length=500,
    )
    artifact_root: str | None = _env("MLFLOW_ARTIFACT_ROOT", None, "a folder or an s3:// URI")
    test_mode: bool = _env("HOKUSAI_TEST_MODE", False, "true or false (also 1/0, yes/no, on/off)")
    log_level: str = _env("PIPELINE_LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING, ERROR or CRITICAL")
    random_seed: int = _env("RANDOM_SEED", 42, "a whole number from 0 to 4294967295", ge=0, le=2**32 - 1)
    actor: str = _env(
        "HOKUSAI_ACTOR", "", "a name for the audit trail of 1 to 200 characters", max_length=200
    )
    signing_key: SecretStr | None = _env(
        "HOKUSAI_SIGNING_KEY", None, "an Ed25519 private key as PEM text, or the path of such a file"
    )
    signer_command: str | None = _env(
        "HOKUSAI_SIGNER_COMMAND",
        None,
        "a command that signs what it reads, as words or as a JSON list of them",
    )
    signer_public_key: str | None = _env(
        "HOKUSAI_SIGNER_PUBLIC_KEY",
        None,
        "the signer command's public key as PEM text, or the path of its file",
    )
    pii_key: SecretStr | None = _env(
        "HOKUSAI_PII_KEY",
        None,
        "a key of 16 bytes or more in hexadecimal or base 64, or the path of such a file",
    )

    remote_gb: int = _env(
        "HOKUSAI_REMOTE_GB", 20, "how many gigabytes of fetched files are kept, 0 or more", ge=0
    )

    api_host: str = _env("API_HOST", "127.0.0.1", "an address to listen on", min_length=1)
    api_port: int = _env("API_PORT", 8001, "a port number (0 takes a free one)", ge=0, le=65535)
    secret_key: SecretStr | None = _env("SECRET_KEY", None, "a long random text")
    rate_limit_requests: int = _env("RATE_LIMIT_REQUESTS", 100, "a number of requests, at least 1", ge=1)
    rate_limit_period_seconds: int = _env("RATE_LIMIT_PERIOD", 60, "a number of seconds, at least 1", ge=1)

    postgres_uri: str | None = _env(
        "POSTGRES_URI", None, "a URI such as postgresql://user:password@host/database"
    )
    hokusai_database_url: str | None = _env(
        "HOKUSAI_DATABASE_URL", None, "a URI such as postgresql://user:password@host/database"
    )
    redis_host: str | None = _env("REDIS_HOST", None, "a host name; without one, caches are in the process")
    redis_port: int = _env("REDIS_PORT", 6379, "a port number from 1 to 65535", ge=1, le=65535)

    @classmethod
    def load(cls, env_file: str | Path | None = ".env", **given: object) -> Self:
        """Read the environment, then `env_file` for what the environment leaves open.

        An empty value counts as not set.

        Args:
            env_file: A file of `NAME=value` lines; it need not exist. None reads the environment only.
            given: Values by field name that go before both, such as command line options.

        Raises:
            ConfigurationError: One or more values cannot be used; the text names every one of them.
        """
        unknown = [name for name in given if name not in cls.model_fields]
        if unknown:
            hint = _did_you_mean(unknown[0], cls.model_fields)
            raise ConfigurationError(f"Settings has no field {unknown[0]!r}", hint=hint)
        found = {**_file_variables(env_file), **{k: v for k, v in os.environ.items() if v.strip()}}
        _warn_of_unknown(found, known=[_variable(field) for field in cls.model_fields.values()])
        values: dict[str, Any] = {
            name: found[_variable(field)].strip()
            for name, field in cls.model_fields.items()
            if _variable(field) in found
        }
        try:
            return cls(**{**values, **given})
        except ValidationError as problem:
            # Not chained: pydantic's own text quotes every input, secrets too.
            raise _configuration_error(cls, problem) from None

    @property
    def mlflow_uri(self) -> str:
        """Where MLflow keeps runs and models: the configured server, or a database in `home`."""
        return self.tracking_uri or f"sqlite:///{self.home / 'mlflow.db'}"

    @property
    def artifact_location(self) -> str | None:
        """Where new experiments keep their files; None where the tracking server decides that itself."""
        if self.artifact_root:
            return self.artifact_root
        served = urlsplit(self.mlflow_uri).scheme in _SERVED_SCHEMES
        return None if served else str(self.home / "artifacts")

    @property
    def database_url(self) -> str:
        """Where the ledger is: HOKUSAI_DATABASE_URL, else POSTGRES_URI, else a database in `home`."""
        configured = self.hokusai_database_url or self.postgres_uri
        return configured or f"sqlite:///{self.home / 'hokusai.db'}"

    @field_validator("home", mode="after")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        # A step that runs in another folder has to find the same home.
        return home.expanduser().absolute()

    @field_validator("log_level", mode="before")
    @classmethod
    def _known_level(cls, level: str) -> str:
        return checked_level(level)

    @field_validator("postgres_uri", "hokusai_database_url", mode="after")
    @classmethod
    def _database_uri(cls, uri: str | None) -> str | None:
        if uri is None:
            return None
        if not urlsplit(uri).scheme or "://" not in uri:
            raise ValueError("not a URI")
        # SQLAlchemy dropped the short spelling that hosting providers still hand out.
        return uri.replace("postgres://", "postgresql://", 1) if uri.startswith("postgres://") else uri

    def __repr_args__(self) -> Any:
        for name, value in super().__repr_args__():
            yield name, mask_url_passwords(value) if isinstance(value, str) else value


def _variable(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    return str(extra["variable"]) if isinstance(extra, dict) else ""


def _file_variables(env_file: str | Path | None) -> dict[str, str]:
    if env_file is None or not Path(env_file).is_file():
        return {}
    from dotenv import dotenv_values

    try:
        return {name: value for name, value in dotenv_values(env_file).items() if value and value.strip()}
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigurationError(
            f"The settings file cannot be read: {problem}",
            where=str(env_file),
            hint="Make it a readable UTF-8 file of NAME=value lines, or remove it.",
        ) from problem


def _configuration_error(settings: type[Settings], problem: ValidationError) -> ConfigurationError:
    variables, faults = [], []
    for error in problem.errors(include_url=False, include_context=False):
        name = str(error["loc"][0])
        field = settings.model_fields[name]
        variables.append(_variable(field))
        faults.append(f"{_variable(field)} is {_shown(field, error['input'])}, expected {field.description}")
    return ConfigurationError(
        "; ".join(faults), hint=f"Correct or unset {', '.join(variables)} (environment, .env or option)."
    )


def _shown(field: FieldInfo, value: object) -> str:
    text = mask_url_passwords(repr(value))
    # A URI that is broken can hold its password anywhere.
    hidden = "SecretStr" in str(field.annotation) or ("@" in text and text == repr(value))
    return "a value that is not shown" if hidden else text


def _warn_of_unknown(found: Mapping[str, str], known: list[str]) -> None:
    for name in sorted(found):
        if name.upper().startswith("HOKUSAI_") and name not in (*known, *_NOT_SETTINGS):
            text = f"{name} is set, but Hokusai has no such setting. {_did_you_mean(name.upper(), known)}"
            warnings.warn(text.rstrip(), stacklevel=3)


def _did_you_mean(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.7)
    return f"Did you mean {near[0]}?" if near else ""
