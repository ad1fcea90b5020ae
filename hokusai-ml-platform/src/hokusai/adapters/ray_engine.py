"""Batches on as many machines as a Ray cluster has, through Ray Data.

Ray Data may cut and join tables, and need not keep their order. So a batch travels as a parcel, one row that holds
its number and its bytes (Arrow's stream format, which is read without a copy, or the name of a part of a Parquet
file that the worker reads itself). Whatever Ray does with rows, a batch arrives as it was sent, and its number says
where it belongs.

The kernel is pickled and sent to the workers with everything that it holds, keys too: the cluster must be as trusted
as this process.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from hokusai.errors import BackendUnavailableError, HokusaiError, IntegrityError
from hokusai.ports import ParquetPart
from hokusai.utils.extras import require

if TYPE_CHECKING:
    import pyarrow as pa

WINDOW_BYTES = 128 << 20
_LOOPBACK = "127.0.0.1"
_CLUSTER = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""On any system: 0 keeps Ray to the loopback interface, where it otherwise listens on all."""


class RayEngine:
    """A `BatchEngine` on Ray. Use it in a `with` block: what it starts, it stops.

    Inside a process that is connected to Ray it uses that connection. Else it joins the cluster at `address`, or
    without one starts Ray on this machine alone: loopback interface, no dashboard, no usage reports.

    Args:
        address: Of a cluster, as `ray.init` takes it, such as `auto` or `ray://head:10001`.
        cpus: Processors of a local Ray; all, if absent.
        object_store_bytes: Shared memory of a local Ray.
        window_bytes: Batches of about so many bytes are handed to the cluster at a time. Twice as many are in memory
            here, since the next ones are read meanwhile.

    Raises:
        MissingExtraError: Ray is not installed.
        BackendUnavailableError: It could not be started or reached.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        cpus: int | None = None,
        object_store_bytes: int = 1 << 30,
        window_bytes: int = WINDOW_BYTES,
    ) -> None:
        self._address = address
        self._cpus = cpus
        self._object_store_bytes = object_store_bytes
        self._window_bytes = window_bytes
        self._session: tempfile.TemporaryDirectory[str] | None = None
        self._started = False

    def __repr__(self) -> str:
        return f"RayEngine({self._address or 'on this machine'})"

    def __enter__(self) -> Self:
        if self._address is None:
            # Ray reads both when it is imported; its other processes inherit them.
            os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
            os.environ[_CLUSTER] = "0"
        ray = require("ray", "ray")
        if ray.is_initialized():
            return self
        self._started = True
        try:
            with _translated():
                if self._address is not None:
                    ray.init(address=self._address, log_to_driver=False, logging_level=logging.ERROR)
                else:
                    self._start_locally(ray)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._started:
            require("ray", "ray").shutdown()
            self._started = False
        if self._session is not None:
            self._session.cleanup()
            self._session = None

    def map_batches(
        self, batches: Iterable[pa.Table | ParquetPart], kernel: Callable[[pa.Table], pa.Table]
    ) -> Iterator[tuple[int, pa.Table]]:
        """See `ports.BatchEngine`."""
        if not require("ray", "ray").is_initialized():  # Ray would start by itself, open to the network
            raise BackendUnavailableError(
                "There is no connection to Ray", hint="Use the engine in a with block."
            )
        parcels = (_parcel(at, batch) for at, batch in enumerate(batches))
        expected = 0
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ray-window") as reader:
            coming = reader.submit(_window, parcels, self._window_bytes)
            while window := coming.result():
                coming = reader.submit(_window, parcels, self._window_bytes)
                yield from self._run(window, expected, kernel)
                expected += len(window)

    def _start_locally(self, ray: Any) -> None:
        # Whoever imported Ray before us has fixed what the variable would have said.
        constants: Any = require("ray._private.ray_constants", "ray")
        constants.ENABLE_RAY_CLUSTER = False
        # A folder of its own with a short name: the paths of Ray's sockets in it may have 107 characters.
        self._session = tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True)
        ray.init(
            num_cpus=self._cpus,
            object_store_memory=self._object_store_bytes,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _temp_dir=self._session.name,
        )
        if any(node["NodeManagerAddress"] != _LOOPBACK for node in ray.nodes()):
            raise BackendUnavailableError(
                "Ray was stopped again, since it listens to other machines",
                hint=f"Start it yourself, or set {_CLUSTER}=0 before Python starts.",
            )

    def _run(
        self, window: list[pa.Table], first: int, kernel: Callable[[pa.Table], pa.Table]
    ) -> Iterator[tuple[int, pa.Table]]:
        ray, data = require("ray", "ray"), require("ray.data", "ray")
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        arrived: dict[int, pa.Table] = {}
        following = first
        with _translated():
            sent = data.from_arrow_refs([ray.put(parcel) for parcel in window])
            worked = sent.map_batches(
                _work, fn_args=(kernel,), batch_size=1, batch_format="pyarrow", zero_copy_batch=True
            )
            for parcel in worked.iter_batches(batch_size=1, batch_format="pyarrow"):
                arrived[parcel["index"][0].as_py()] = _content(parcel)
                while following in arrived:
                    yield following, arrived.pop(following)
                    following += 1
        if following != first + len(window) or arrived:
            raise IntegrityError(
                f"Ray was given {len(window):,} batches and gave back {following - first + len(arrived):,}",
                hint="Nothing was used. Try again, or work on one machine.",
            )


def _window(parcels: Iterator[pa.Table], n_bytes: int) -> list[pa.Table]:
    """The next parcels of about `n_bytes` together; none at the end."""
    window: list[pa.Table] = []
    size = 0
    for parcel in parcels:
        window.append(parcel)
        size += parcel.nbytes
        if size >= n_bytes:
            break
    return window


def _schema() -> pa.Schema:
    """Of every parcel: exactly one of table, part and refusal is there."""
    import pyarrow as pa

    return pa.schema(
        {"index": pa.int64(), "table": pa.large_binary(), "part": pa.string(), "refusal": pa.string()}
    )


def _parcel(at: int, content: pa.Table | ParquetPart | HokusaiError) -> pa.Table:
    import pyarrow as pa

    index, nothing = pa.array([at]), pa.nulls(1, pa.string())
    no_table = pa.nulls(1, pa.large_binary())
    if isinstance(content, ParquetPart):
        part = json.dumps([content.path, content.row_group])
        return pa.table([index, no_table, pa.array([part]), nothing], schema=_schema())
    if isinstance(content, HokusaiError):
        refusal = json.dumps([content.code, content.what, content.where, content.hint])
        return pa.table([index, no_table, nothing, pa.array([refusal])], schema=_schema())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, content.schema) as stream:
        stream.write_table(content)
    packed = sink.getvalue()
    offsets = pa.array([0, packed.size], pa.int64()).buffers()[1]
    table = pa.LargeBinaryArray.from_buffers(pa.large_binary(), 1, [None, offsets, packed])
    return pa.table([index, table, nothing, nothing], schema=_schema())


def _content(parcel: pa.Table) -> pa.Table:
    """What the parcel holds; a refusal is raised."""
    import pyarrow as pa

    row = {name: parcel[name][0] for name in parcel.column_names}
    if row["refusal"].is_valid:
        code, what, where, hint = json.loads(row["refusal"].as_py())
        raise _error_class(code)(what, where=where, hint=hint)
    if row["part"].is_valid:
        path, row_group = json.loads(row["part"].as_py())
        return ParquetPart(path, row_group).read()
    with pa.ipc.open_stream(row["table"].as_buffer()) as stream:
        return stream.read_all()


def _work(parcel: pa.Table, kernel: Callable[[pa.Table], pa.Table]) -> pa.Table:
    """What a worker does with one parcel."""
    at = parcel["index"][0].as_py()
    try:
        return _parcel(at, kernel(_content(parcel)))
    except HokusaiError as refusal:
        return _parcel(at, refusal)


def _error_class(code: str) -> type[HokusaiError]:
    """The class of our errors with this code."""
    classes = [HokusaiError]
    for known in classes:
        classes.extend(known.__subclasses__())
    return next((known for known in classes if known.code == code), HokusaiError)


@contextmanager
def _translated() -> Iterator[None]:
    """What Ray raises becomes `BackendUnavailableError`."""
    try:
        yield
    except HokusaiError:
        raise
    except Exception as problem:
        raise BackendUnavailableError(
            f"Ray could not do the work: {type(problem).__name__}",
            hint="See its log, or work on one machine.",
        ) from problem
