"""Settings in, adapters out: the one answer to "what runs in production?".

No other module names an adapter. Importing this one plugs the defaults into the places that work without
being told where to (`hokusai.utils.metrics`); it loads no adapter and reads no setting until it is asked.
"""

from __future__ import annotations

import contextlib
from functools import lru_cache
from typing import TYPE_CHECKING

from hokusai.core import provided
from hokusai.core.remote_files import provide_remote_files
from hokusai.privacy.provided import provide_tokenizer
from hokusai.tracking.provided import provide_tracking
from hokusai.utils import metrics

if TYPE_CHECKING:
    from hokusai.adapters.ray_engine import RayEngine
    from hokusai.adapters.sql.schema import LedgerSchema
    from hokusai.attestation.envelope import Signer
    from hokusai.core.doctor import Installation
    from hokusai.core.provided import Backends
    from hokusai.ports import Ledger, MetricSink, ModelFiles, ModelStore, RemoteFiles, RunStore
    from hokusai.privacy.tokens import Tokenizer
    from hokusai.tracking.provided import Tracking
    from hokusai.utils.config import Settings


def start_up() -> Settings:
    """What a door does first: read the settings, and make the log follow them.

    Raises:
        ConfigurationError: One or more settings cannot be used.
    """
    from hokusai.utils import logging
    from hokusai.utils.config import Settings

    settings = Settings.load()
    logging.configure(settings.log_level)
    with contextlib.suppress(OSError):  # whoever needs the folder says clearly that it cannot be had
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)  # keys, and other people's data
    return settings


def run_store(settings: Settings) -> RunStore:
    """Where pipeline runs are tracked: MLflow."""
    from hokusai.adapters.mlflow_runs import MlflowRunStore

    return MlflowRunStore(settings.mlflow_uri, _artifact_location(settings))


def model_files(settings: Settings) -> ModelFiles:
    """Where stored models are found: MLflow."""
    from hokusai.adapters.mlflow_models import MlflowModelFiles

    return MlflowModelFiles(settings.mlflow_uri)


def registry_backends(settings: Settings, tracking_uri: str | None = None) -> Backends:
    """What a model registry works on: MLflow, and the ledger.

    Args:
        settings: The settings.
        tracking_uri: Another MLflow than the configured one.
    """
    from hokusai.adapters.mlflow_registry import MlflowModelStore

    if tracking_uri is not None:
        settings = settings.model_copy(update={"tracking_uri": tracking_uri})
    store = MlflowModelStore(settings.mlflow_uri, settings.artifact_location)
    return provided.Backends(store, ledger(settings), actor(settings))


def other_model_store(tracking_uri: str) -> ModelStore:
    """Models in another MLflow, to read from.

    Raises:
        ConfigurationError: There is none.
        BackendUnavailableError: It cannot be reached.
    """
    from hokusai.adapters.mlflow_registry import MlflowModelStore
    from hokusai.adapters.mlflow_sqlite import SQLITE, sqlite_path
    from hokusai.errors import ConfigurationError

    if tracking_uri.startswith(SQLITE) and not sqlite_path(tracking_uri).exists():
        raise ConfigurationError("There is no such database", where=tracking_uri)
    store = MlflowModelStore(tracking_uri)
    store.check()
    return store


def installation(settings: Settings) -> Installation:
    """What `hokusai doctor` examines: everything that the settings name."""
    from hokusai.adapters.mlflow_registry import MlflowModelStore
    from hokusai.adapters.redis_ping import ping_redis
    from hokusai.core.doctor import Installation
    from hokusai.core.hops import Hop
    from hokusai.utils.redaction import mask_url_passwords

    store = MlflowModelStore(settings.mlflow_uri, settings.artifact_location)
    hops = []
    if settings.redis_host is not None:
        host, port = settings.redis_host, settings.redis_port
        hops.append(Hop("redis", f"{host}:{port}", lambda: ping_redis(host, port)))
    return Installation(
        store=lambda: store,
        ledger=lambda: ledger(settings),
        actor=actor(settings),
        store_address=store.location,
        ledger_address=mask_url_passwords(settings.database_url),
        artifact_address=mask_url_passwords(settings.artifact_location or "kept by the MLflow server"),
        home=settings.home,
        drafts={
            ".mlflow-db-*": "The draft of a new MLflow database",
            ".ledger-*": "The draft of a new ledger",
        },
        hops=hops,
    )


def ledger(settings: Settings) -> Ledger:
    """Where the audit trail and the index of models are: SQLite in HOKUSAI_HOME, or the configured PostgreSQL."""
    return _sql_ledger(settings.database_url)


def ledger_schema(settings: Settings) -> LedgerSchema:
    """The ledger's tables, to look at and to upgrade."""
    from hokusai.adapters.sql.schema import LedgerSchema

    return LedgerSchema(settings.database_url)


def actor(settings: Settings) -> str:
    """Who is working, for the audit trail: whoever the settings name, or the user of this machine."""
    import getpass

    if settings.actor:
        return settings.actor

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container without a user of this number
        return "unknown"


@lru_cache(maxsize=16)
def _sql_ledger(url: str) -> Ledger:
    from hokusai.adapters.sql.ledger import SqlLedger

    return SqlLedger(url)


def signing_key(settings: Settings) -> Signer:
    """The key that attestations are signed with, or the command that holds it; made on first use, which is said once.

    Raises:
        ConfigurationError: HOKUSAI_SIGNING_KEY, HOKUSAI_SIGNER_COMMAND or the key in HOKUSAI_HOME cannot be used.
    """
    from hokusai.attestation.keys import load_signing_key, public_path
    from hokusai.utils.logging import get_logger

    configured = settings.signing_key.get_secret_value() if settings.signing_key else None
    key = load_signing_key(
        configured,
        settings.home,
        command=settings.signer_command,
        command_key=settings.signer_public_key,
    )
    if key.generated and key.path is not None:
        get_logger(__name__).warning(
            "A signing key was made; keep it, and give verifiers the public half",
            private=str(key.path),
            public=str(public_path(key.path)),
        )
    return key.signer


def tracking(settings: Settings, tracking_uri: str | None = None) -> Tracking:
    """What a performance tracker works with: MLflow, and the key.

    Args:
        settings: The settings.
        tracking_uri: Another MLflow than the configured one.
    """
    from hokusai.tracking.provided import Tracking

    if tracking_uri is not None:
        settings = settings.model_copy(update={"tracking_uri": tracking_uri})
    return Tracking(run_store(settings), settings.experiment_name, lambda: signing_key(settings))


def pii_tokenizer(settings: Settings) -> Tokenizer:
    """What stands for personal data is made with this key; it is made on first use, which is said once.

    Raises:
        ConfigurationError: HOKUSAI_PII_KEY, or the key in HOKUSAI_HOME, cannot be used.
    """
    from hokusai.privacy.key_file import load_pii_key
    from hokusai.utils.logging import get_logger

    configured = settings.pii_key.get_secret_value() if settings.pii_key else None
    key = load_pii_key(configured, settings.home)
    if key.generated:
        get_logger(__name__).warning(
            "A key for personal data was made; keep it, or tokens of the same value will differ from now on",
            file=str(key.path),
            key_id=key.tokenizer.key_id,
        )
    return key.tokenizer


def kept_pii_tokenizer() -> Tokenizer | None:
    """`pii_tokenizer`, if there is a key already; else None, and nothing is made, not even the home folder."""
    from hokusai.privacy.key_file import KEY_FILE
    from hokusai.utils.config import Settings

    settings = Settings.load()
    has_key = settings.pii_key is not None or (settings.home / KEY_FILE).exists()
    return pii_tokenizer(settings) if has_key else None


def ray_engine(address: str | None = None) -> RayEngine:
    """Batches on the Ray cluster at `address`, or without one on all processors of this machine."""
    from hokusai.adapters.ray_engine import RayEngine

    return RayEngine(address)


def _artifact_location(settings: Settings) -> str | None:
    """Beside the embedded database if that is what we use; else a server knows its own place."""
    if settings.artifact_root is not None or settings.mlflow_uri.startswith("sqlite:"):
        return settings.artifact_location
    return None


def remote_files(settings: Settings) -> RemoteFiles:
    """Data files in S3, as boto3 finds its credentials; copies are kept in HOKUSAI_HOME, up to a size."""
    from hokusai.adapters.s3_files import S3Files

    return S3Files(settings.home / "remote", keep_bytes=settings.remote_gb * 1_000_000_000)


def metric_sink(settings: Settings) -> MetricSink:
    """Where metrics go: MLflow. Equal settings give the same sink, hence the same run."""
    return _mlflow_metric_sink(settings.mlflow_uri, settings.experiment_name, settings.artifact_location)


@lru_cache(maxsize=16)
def _mlflow_metric_sink(uri: str, experiment_name: str, artifact_location: str | None) -> MetricSink:
    from hokusai.adapters.mlflow_metrics import MlflowMetricSink

    return MlflowMetricSink(uri, experiment_name, artifact_location)


def _metric_sink_of_the_environment() -> MetricSink:
    from hokusai.utils.config import Settings

    return metric_sink(Settings.load())


def _tokenizer_of_the_environment() -> Tokenizer:
    from hokusai.utils.config import Settings

    return pii_tokenizer(Settings.load())


def _remote_files_of_the_environment() -> RemoteFiles:
    from hokusai.utils.config import Settings

    return remote_files(Settings.load())


def _backends_of_the_environment(tracking_uri: str | None) -> Backends:
    from hokusai.utils.config import Settings

    return registry_backends(Settings.load(), tracking_uri)


def _tracking_of_the_environment(tracking_uri: str | None) -> Tracking:
    from hokusai.utils.config import Settings

    return tracking(Settings.load(), tracking_uri)


metrics.provide_sink(_metric_sink_of_the_environment)
provided.provide_backends(_backends_of_the_environment)
provide_tokenizer(_tokenizer_of_the_environment)
provide_remote_files(_remote_files_of_the_environment)
provide_tracking(_tracking_of_the_environment)
