"""Model files: the same bytes for the same model, and nothing in them that runs."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import inspect
import io
import json
import operator
import os
import pickle
import re
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import OPTICS, AgglomerativeClustering, FeatureAgglomeration
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import all_estimators

from hokusai.core.models import skops_file
from hokusai.core.models.mlmodel_file import stored_types
from hokusai.core.models.skops_file import dump_model, load_model, root_type
from hokusai.errors import DataError, HokusaiError, UntrustedModelError

ROWS = 60


def table() -> pd.DataFrame:
    draw = np.random.default_rng(0)
    words = [f"word{i % 7} of {'many' if i % 3 else 'few'}" for i in range(ROWS)]
    return pd.DataFrame(
        {
            "x": draw.random(ROWS),
            "z": np.where(draw.random(ROWS) < 0.1, np.nan, draw.random(ROWS)),
            "c": pd.Series([["u", "v", None][i % 3] for i in range(ROWS)], dtype=object),
            "t": pd.Series(words, dtype=object),
        }
    )


def recipes() -> dict[str, tuple[Any, Any, Any]]:
    """Name to (model, what it learns from, its labels)."""
    frame = table()
    x = frame[["x"]].to_numpy()
    x = np.hstack([x, x**2, np.sin(9 * x)])
    classes = np.array(["a", "b", "c"], dtype=object)[(x[:, 0] > 0.4).astype(int) + (x[:, 2] > 0.5)]
    columns = ColumnTransformer(
        [
            ("t", TfidfVectorizer(), "t"),
            ("c", OneHotEncoder(handle_unknown="ignore"), ["c"]),
            ("n", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), ["x", "z"]),
        ]
    )
    return {
        "logistic regression": (make_pipeline(StandardScaler(), LogisticRegression()), x, classes),
        "random forest": (RandomForestClassifier(5, random_state=0), x, classes),
        "hist gradient boosting": (HistGradientBoostingRegressor(max_iter=3, random_state=0), x, x[:, 0]),
        "gradient boosting": (GradientBoostingClassifier(n_estimators=2, random_state=0), x, classes),
        "mixed columns": (make_pipeline(columns, LogisticRegression()), frame, classes),
        "sparse neighbours": (make_pipeline(TfidfVectorizer(), KNeighborsClassifier()), frame["t"], classes),
        "neighbours": (KNeighborsClassifier(), x, classes),
        "svc": (SVC(), x, classes),
        "ridge": (Ridge(), x, x[:, 0]),
        "tree": (DecisionTreeRegressor(random_state=0), x, x[:, 0]),
        "vote": (VotingClassifier([("b", GaussianNB()), ("a", LogisticRegression())]), x, classes),
        "class weights": (LogisticRegression(class_weight={"c": 3.0, "b": 1.0, "a": 2.0}), x, classes),
    }


def fitted_models() -> dict[str, tuple[Any, Any]]:
    """Name to (fitted model, what it can predict from)."""
    return {name: (model.fit(data, target), data) for name, (model, data, target) in recipes().items()}


@pytest.fixture(scope="module")
def models() -> dict[str, tuple[Any, Any]]:
    return fitted_models()


NAMES = tuple(recipes())


class TestBytes:
    def test_are_the_same_in_every_process(self, models) -> None:
        """Other hash seeds, other addresses, memory full of other leftovers."""
        code = (
            "import hashlib, importlib.util, sys\n"
            "spec = importlib.util.spec_from_file_location('models', sys.argv[1])\n"
            "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)\n"
            "leftovers = [bytearray(b'x' * 300) for _ in range(int(sys.argv[2]))]\n"
            "for name, (model, _) in module.fitted_models().items():\n"
            "    print(name, hashlib.sha256(module.dump_model(model)).hexdigest())\n"
        )
        elsewhere = subprocess.run(
            [sys.executable, "-c", code, __file__, "5000"],
            env={**os.environ, "PYTHONHASHSEED": "4242", "MALLOC_PERTURB_": "85"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        here = [f"{name} {hashlib.sha256(dump_model(models[name][0])).hexdigest()}" for name in NAMES]
        assert elsewhere == here

    @pytest.mark.parametrize("name", NAMES)
    def test_come_back_from_what_they_hold(self, models, name: str) -> None:
        content = dump_model(models[name][0])
        assert dump_model(load_model(content, where="m.skops")) == content

    def test_differ_where_the_model_does(self, models) -> None:
        data = models["ridge"][1]
        assert dump_model(Ridge(alpha=1.0).fit(data, data[:, 0])) != dump_model(
            Ridge(alpha=1.1).fit(data, data[:, 0])
        )

    def test_hold_no_time_and_no_address(self, models) -> None:
        with zipfile.ZipFile(io.BytesIO(dump_model(models["mixed columns"][0]))) as archive:
            assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            schema = archive.read("schema.json").decode()
        ids = [value for key, value in _items(json.loads(schema)) if key == "__id__"]
        assert max(ids) <= len(ids)
        assert min(ids) == 1

    def test_padding_between_fields_of_records_is_zero(self) -> None:
        dtype = np.dtype({"names": ["a", "b"], "formats": ["<i8", "u1"], "itemsize": 16})
        dirty = np.frombuffer(b"\xaa" * 32, dtype=dtype)
        clean = np.zeros(2, dtype)
        clean["a"], clean["b"] = dirty["a"], dirty["b"]
        stored = _npy(dirty)
        assert stored != _npy(clean)
        assert skops_file._settled("1.npy", stored) == _npy(clean)


class TestPredictions:
    @pytest.mark.parametrize("name", NAMES)
    def test_are_the_same_after_loading_here_and_with_plain_skops(self, models, name: str) -> None:
        model, data = models[name]
        content = dump_model(model)
        ours = load_model(content, where="m.skops")
        plain = skops.io.loads(content, trusted=skops.io.get_untrusted_types(data=content))
        assert (ours.predict(data) == model.predict(data)).all()
        assert (plain.predict(data) == model.predict(data)).all()

    def test_the_order_of_dictionaries_is_kept(self, models) -> None:
        loaded = load_model(dump_model(models["class weights"][0]), where="m.skops")
        assert list(loaded.class_weight.items()) == [("c", 3.0), ("b", 1.0), ("a", 2.0)]

    def test_keys_of_several_types(self) -> None:
        model = LogisticRegression(class_weight={"b": 1.0, 1: 2.0, "a": 3.0})
        assert load_model(dump_model(model), where="m").class_weight == {"b": 1.0, 1: 2.0, "a": 3.0}

    def test_a_key_that_is_called_like_a_part_of_the_format(self) -> None:
        weights = {"__id__": 1.0, "file": 2.0, "__loader__": 3.0, "_stop_words": 4.0}
        assert (
            load_model(dump_model(LogisticRegression(class_weight=weights)), where="m").class_weight
            == weights
        )


class Trap:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


class TestPickles:
    @pytest.fixture
    def sprung(self, tmp_path: Path) -> Path:
        return tmp_path / "sprung"

    @pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
    def test_are_refused_and_not_run(self, sprung: Path, protocol: int) -> None:
        self._refused(pickle.dumps(Trap(sprung), protocol), sprung)

    @pytest.mark.parametrize("protocol", [0, 1])
    def test_old_ones_are_no_skops_files_and_not_run(self, sprung: Path, protocol: int) -> None:
        with pytest.raises(HokusaiError):
            load_model(pickle.dumps(Trap(sprung), protocol), where="m.pkl")
        assert not sprung.exists()

    @pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3)])
    def test_of_joblib(self, sprung: Path, tmp_path: Path, compress: Any) -> None:
        joblib.dump(Trap(sprung), tmp_path / "m.joblib", compress=compress)
        self._refused((tmp_path / "m.joblib").read_bytes(), sprung)

    @pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
    def test_packed(self, sprung: Path, pack) -> None:
        self._refused(pack(pickle.dumps(Trap(sprung))), sprung)

    def test_in_a_numpy_file(self, sprung: Path) -> None:
        out = io.BytesIO()
        np.save(out, np.array([Trap(sprung)], dtype=object), allow_pickle=True)
        self._refused(out.getvalue(), sprung)

    def test_inside_the_zip_of_a_skops_file(self, sprung: Path) -> None:
        out = io.BytesIO()
        np.save(out, np.array([Trap(sprung)], dtype=object), allow_pickle=True)
        model = Ridge().fit([[0.0], [1.0]], [0.0, 1.0])
        forged = _rewritten(
            dump_model(model), lambda name, data: out.getvalue() if name.endswith(".npy") else data
        )
        with pytest.raises(DataError, match="cannot be read"):
            load_model(forged, where="m.skops")
        assert not sprung.exists()

    @staticmethod
    def _refused(content: bytes, sprung: Path) -> None:
        with pytest.raises(UntrustedModelError, match=r"m\.bin.*skops"):
            load_model(content, where="m.bin")
        assert not sprung.exists()


class Foreign(Ridge):
    """A class of nobody's library."""


class TestGadgets:
    @pytest.mark.parametrize(
        ("func", "named"),
        [
            (os.system, "posix.system"),
            (os.remove, "posix.remove"),
            (eval, "eval"),
            (np.load, "numpy.load"),
            (np.fromfile, "numpy"),
            (importlib.import_module, "importlib.import_module"),
            (joblib.load, "joblib"),
            (pickle.loads, "pickle"),
            (operator.methodcaller("system", "true"), "operator.methodcaller"),
            (operator.attrgetter("__class__"), "operator.attrgetter"),
            (partial(os.system), "functools.partial"),
            (np.arange(3).tofile, "tofile"),
            (Path, "Path"),
            (subprocess.Popen, "subprocess.Popen"),
        ],
        ids=lambda value: value if isinstance(value, str) else type(value).__name__,
    )
    def test_callables_are_refused(self, func: Any, named: str) -> None:
        try:
            content = dump_model(make_pipeline(FunctionTransformer(func), Ridge()))
        except Exception:  # some cannot even be written: forge them, as an attacker would
            content = _forged(func.__module__, func.__name__)
        with pytest.raises(UntrustedModelError, match=named.replace(".", r"\.")):
            load_model(content, where="m.skops")

    @pytest.mark.parametrize(
        ("module", "name"),
        [
            ("sklearn.datasets._base", "load_files"),
            ("sklearn.datasets._base", "Path"),
            ("sklearn.datasets._openml", "TemporaryDirectory"),
            ("sklearn.feature_extraction.text", "partial"),
            ("sklearn.feature_extraction.text", "itemgetter"),
            ("sklearn.utils._testing", "TempMemmap"),
            ("sklearn.metrics._classification", "accuracy_score"),
            ("sklearn.no.such.module", "Thing"),
            ("sklearn.linear_model", "NoSuchModel"),
            ("sklearnx.evil", "Model"),
            ("scipy.io", "loadmat"),
            ("numpy.lib", "npyio"),
            ("builtins", "exec"),
        ],
    )
    @pytest.mark.parametrize("loader", ["FunctionNode", "TypeNode"])
    def test_what_scikit_learn_merely_imports_is_refused(self, module: str, name: str, loader: str) -> None:
        with pytest.raises(UntrustedModelError, match="could run somebody else's code"):
            load_model(_forged(module, name, loader), where="m.skops")

    def test_a_constructor_call_of_an_imported_class_is_refused(self, tmp_path: Path) -> None:
        call = {
            "__class__": "TemporaryDirectory",
            "__module__": "sklearn.datasets._openml",
            "__loader__": "ConstructorFromReduceNode",
            "content": {
                "__class__": "tuple",
                "__module__": "builtins",
                "__loader__": "TupleNode",
                "content": [],
            },
        }
        with pytest.raises(UntrustedModelError, match="TemporaryDirectory"):
            load_model(_archive(call), where="m.skops")

    def test_a_foreign_class_is_refused(self) -> None:
        content = dump_model(Foreign().fit([[0.0], [1.0]], [0.0, 1.0]))
        with pytest.raises(UntrustedModelError, match="Foreign"):
            load_model(content, where="m.skops")

    def test_what_this_run_wrote_is_trusted_where_asked(self) -> None:
        content = dump_model(FunctionTransformer(np.load))
        assert load_model(content, where="m.skops", trust=True).func is np.load


def _search(grid: dict[str, list[Any]], **options: Any) -> Any:
    return GridSearchCV(make_pipeline(TfidfVectorizer(), LogisticRegression()), grid, **options)


def _odd(model: Any, **attributes: Any) -> Any:
    """`model` with attributes that no constructor gave it."""
    vars(model).update(attributes)
    return model


class TestParameters:
    """Classes of scikit-learn alone, and yet files would be read or run."""

    @pytest.mark.parametrize(
        ("make", "said"),
        [
            (lambda: Pipeline([("m", Ridge())], memory="/tmp/cache"), "memory of Pipeline to '/tmp/cache'"),
            (lambda: Pipeline([("m", Ridge())], memory=StandardScaler()), r"memory of Pipeline to an object"),
            (
                lambda: make_pipeline(FeatureAgglomeration(memory="c", pooling_func=None), Ridge()),
                "memory of F",
            ),
            (lambda: AgglomerativeClustering(memory="cache"), "memory of Agglomerative"),
            (lambda: OPTICS(memory="cache"), "memory of OPTICS"),
            (lambda: TfidfVectorizer(input="filename"), "input of TfidfVectorizer to 'filename'"),
            (lambda: CountVectorizer(input="file"), "input of CountVectorizer to 'file'"),
            (lambda: HashingVectorizer(input="filename"), "input of HashingVectorizer"),
            (
                lambda: make_pipeline(
                    ColumnTransformer([("t", FeatureUnion([("v", CountVectorizer(input="filename"))]), "t")]),
                    Ridge(),
                ),
                "input of CountVectorizer",
            ),
            (lambda: StackingClassifier([("a", SVC())], make_pipeline(Ridge(), memory="c")), "memory"),
            (lambda: _odd(Ridge(), fitted_={"deep": [({"x": TfidfVectorizer(input="file")},)]}), "input"),
            (lambda: _odd(Ridge(), fitted_=_objects(Pipeline([("m", SVC())], memory="c"))), "memory"),
            (lambda: _odd(Ridge(), part__memory="cache"), "part__memory"),
            (lambda: _search({"tfidfvectorizer__input": ["filename"]}), "searches over .*__input"),
            (lambda: _search({"memory": ["cache"]}), "searches over the parameter 'memory'"),
            (lambda: _search({"tfidfvectorizer": [TfidfVectorizer(input="file")]}), "input of Tfidf"),
            (
                lambda: RandomizedSearchCV(make_pipeline(Ridge()), [{"memory": ["cache"]}]),
                "searches over the parameter 'memory'",
            ),
            (lambda: _search({}, pre_dispatch="__import__('os').system('true')"), "pre_dispatch"),
            (lambda: _search({}, pre_dispatch="9**9**9"), "pre_dispatch"),
            (lambda: FunctionTransformer(CountVectorizer), "holds the class CountVectorizer"),
        ],
    )
    def test_that_touch_files_are_refused(self, make, said: str) -> None:
        with pytest.raises(UntrustedModelError, match=said) as caught:
            load_model(dump_model(make()), where="m.skops")
        assert "m.skops" in str(caught.value)

    def test_are_not_used_before_they_are_looked_at(self, monkeypatch) -> None:
        content = dump_model(Pipeline([("m", Ridge())], memory="cache"))
        for name in ("get_params", "__repr__", "__len__", "__getitem__", "fit", "predict"):
            monkeypatch.setattr(Pipeline, name, lambda *_, **__: pytest.fail("a method was called"))
        with pytest.raises(UntrustedModelError, match="memory"):
            load_model(content, where="m.skops")

    @pytest.mark.parametrize(
        "model",
        [
            TfidfVectorizer().fit(["memory input pre_dispatch"]),  # words, not parameters
            LogisticRegression(class_weight={"memory": 1.0, "input": 2.0}),
            _search({"tfidfvectorizer__lowercase": [True, False]}),
            _search({}, pre_dispatch=3),
            _search({}, pre_dispatch="all"),
            OneHotEncoder(dtype=np.float32),
        ],
    )
    def test_that_touch_none_are_not(self, model) -> None:
        load_model(dump_model(model), where="m.skops")

    def test_every_other_parameter_of_scikit_learn_is_known_to_touch_none(self) -> None:
        """A new scikit-learn with a parameter of such a name has to be looked at."""
        named = re.compile(r"file|path|dir|folder|memory|input|cache|dispatch|command|url|backend")
        known = {"cache_size", "fit_path", "input_type", "path_method", "transform_input", "direction"}
        found = {
            parameter
            for _, model in all_estimators()
            for parameter in inspect.signature(model.__init__).parameters
            if named.search(parameter)
        }
        assert found - known == {"memory", "input", "pre_dispatch"}


def _objects(*items: Any) -> np.ndarray:
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


WHOLE = dump_model(make_pipeline(StandardScaler(), Ridge()).fit([[0.0], [1.0]], [0.0, 1.0]))


class TestDamage:
    @given(data=st.data())
    @settings(max_examples=40)
    def test_a_file_cut_off_anywhere(self, data: st.DataObject) -> None:
        end = data.draw(st.integers(0, len(WHOLE) - 1))
        with pytest.raises(DataError, match=r"m\.skops"):
            load_model(WHOLE[:end], where="m.skops")

    @given(data=st.data())
    @settings(max_examples=75)
    def test_a_flipped_byte_is_one_of_our_errors_or_does_no_harm(self, data: st.DataObject) -> None:
        at = data.draw(st.integers(4, len(WHOLE) - 1))
        broken = WHOLE[:at] + bytes([WHOLE[at] ^ data.draw(st.integers(1, 255))]) + WHOLE[at + 1 :]
        try:
            model = load_model(broken, where="m.skops")
        except HokusaiError:
            return
        assert model.predict([[0.5]]).tolist() == pytest.approx([0.5])  # a byte of the zip that nobody reads

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"hello", b"{}", b"PK\x05\x06" + bytes(18)])
    def test_no_model_at_all(self, content: bytes) -> None:
        with pytest.raises(DataError, match=r"m\.skops"):
            load_model(content, where="m.skops")

    def test_a_zip_of_something_else(self) -> None:
        with pytest.raises(DataError, match="cannot be read"):
            load_model(_zip({"data.pkl": b"\x80\x04."}), where="m.pt")

    @pytest.mark.parametrize(
        "schema", [b"", b"[]", b"{}", b"null", b"\xff", b"[" * 100_000, b'{"__loader__": "X"}']
    )
    def test_a_schema_that_is_none(self, schema: bytes) -> None:
        with pytest.raises(DataError, match="cannot be read"):
            load_model(_zip({"schema.json": schema}), where="m.skops")

    def test_a_bomb_is_not_unpacked(self, monkeypatch) -> None:
        bomb = _zip({"schema.json": b"{}", "1.npy": bytes(50_000_000)})
        assert len(bomb) < 100_000
        monkeypatch.setattr(skops_file, "_UNPACKED_BYTES", 10_000_000)
        with pytest.raises(DataError, match=r"unpacks to 50,000,002 bytes"):
            load_model(bomb, where="m.skops")

    def test_a_bomb_within_a_sparse_matrix_is_not_unpacked(self, monkeypatch) -> None:
        inner = _zip({"data.npy": bytes(50_000_000)})
        bomb = _zip({"schema.json": b"{}", "1.npz": inner})
        monkeypatch.setattr(skops_file, "_UNPACKED_BYTES", 10_000_000)
        with pytest.raises(DataError, match=r"unpacks to 50,0\d\d,\d+ bytes"):
            load_model(bomb, where="m.skops")

    def test_an_array_that_claims_to_be_larger_than_memory(self) -> None:
        header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000000,), }".ljust(117) + b"\n"
        array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(8)
        model = Ridge().fit([[0.0], [1.0]], [0.0, 1.0])
        forged = _rewritten(dump_model(model), lambda name, data: array if name.endswith(".npy") else data)
        with pytest.raises(DataError, match=r"more memory than there is.*m\.skops"):
            load_model(forged, where="m.skops")

    @pytest.mark.parametrize("read", [root_type, stored_types])
    def test_a_description_that_unpacks_to_too_much_is_not_unpacked(self, read) -> None:
        bomb = _zip({"schema.json": b" " * ((64 << 20) + 1)})
        tracemalloc.start()
        try:
            told = read(bomb)
        except DataError as problem:
            told = problem.what
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert told == "" or "67,108,865 bytes long" in told
        assert most < 10 << 20

    @pytest.mark.parametrize("offset", [6, 8], ids=["encrypted", "packed in an unknown way"])
    def test_a_description_that_zip_cannot_unpack(self, offset: int) -> None:
        content = bytearray(_zip({"schema.json": b"{}"}))
        directory = content.index(b"PK\x01\x02")
        content[offset] = content[directory + offset + 2] = 99  # its flags, or its method
        assert root_type(bytes(content)) == ""
        with pytest.raises(DataError, match=r"cannot be read: (RuntimeError|NotImplementedError)"):
            stored_types(bytes(content))

    @pytest.mark.parametrize("schema", [b"[" * 100_000, b'{"__module__": {}, "__class__": "A"}', b"[]"])
    def test_a_description_without_a_class(self, schema: bytes) -> None:
        assert root_type(_zip({"schema.json": schema})) == ""

    def test_a_description_of_very_many_parts(self, monkeypatch) -> None:
        monkeypatch.setattr(skops_file, "_SCHEMA_BYTES", 1000)
        with pytest.raises(DataError, match=r"description is [\d,]+ bytes long, more than 1,000"):
            load_model(WHOLE, where="m.skops")


def _items(node: Any):
    if isinstance(node, dict):
        for key, value in node.items():
            yield key, value
            yield from _items(value)
    elif isinstance(node, list):
        for value in node:
            yield from _items(value)


def _npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def _zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def _rewritten(content: bytes, change) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return _zip({name: change(name, archive.read(name)) for name in archive.namelist()})


def _archive(root: dict[str, Any]) -> bytes:
    """A skops file of one node, with the version marks of a real one."""
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(Ridge()))) as archive:
        schema = json.loads(archive.read("schema.json"))
    marks = {key: schema[key] for key in ("protocol", "_skops_version")}
    return _zip({"schema.json": json.dumps({**root, **marks}).encode()})


def _forged(module: str, name: str, loader: str = "FunctionNode") -> bytes:
    """A FunctionTransformer whose function is whatever stands at `module`.`name`."""

    def change(member: str, data: bytes) -> bytes:
        if member != "schema.json":
            return data
        schema = json.loads(data)
        schema["content"]["content"]["func"] = {"__class__": name, "__module__": module, "__loader__": loader}
        return json.dumps(schema).encode()

    return _rewritten(dump_model(FunctionTransformer()), change)
