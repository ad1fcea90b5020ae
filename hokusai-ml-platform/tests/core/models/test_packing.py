"""Models of every light framework as files and back: same bytes, same answers, readable by plain MLflow."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from skl2onnx import to_onnx
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from hokusai.core.models import CustomModel, HokusaiModel, describe, is_safe, pack, unpack
from hokusai.core.models.packing import PackedModel
from hokusai.core.models.wrapping import wrap
from hokusai.domain.records import ModelFacts, ModelRecord
from hokusai.domain.versions import SemanticVersion
from hokusai.errors import DataError, IntegrityError, InvalidInputError, UntrustedModelError

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow.*"),
]

DRAW = np.random.default_rng(0)
X = DRAW.random((120, 4))
Y = (X[:, 0] > 0.5).astype(int)
NAMED = np.where(Y == 1, "stays", "leaves")
TABLE = pd.DataFrame(X, columns=list("abcd"))
SINGLE = X.astype(np.float32)


class Threshold(BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """An estimator of one's own, which skops cannot carry without trust."""

    def __init__(self, limit: float = 0.5) -> None:
        self.limit = limit

    def fit(self, X: Any, y: Any = None) -> Threshold:
        return self

    def predict(self, X: Any) -> Any:
        return (np.asarray(X)[:, 0] > self.limit).astype(int)


class OwnModel(HokusaiModel):
    """A Hokusai model of one's own."""

    def predict(self, data: Any) -> Any:
        return [row * 2 for row in data]

    def save(self, path: str | Path) -> None:
        Path(path).write_text(self.model_id)

    @classmethod
    def load(cls, path: str | Path) -> OwnModel:
        return cls(Path(path).read_text())


def first_column(data: Any) -> Any:
    return np.asarray(data)[:, 0] * 2


CASES: dict[str, tuple[Callable[[], Any], Any, str, str]] = {
    "sklearn on a table": (lambda: LogisticRegression().fit(TABLE, Y), TABLE, "skops", "sklearn"),
    "sklearn pipeline": (
        lambda: make_pipeline(StandardScaler(), LogisticRegression()).fit(X, NAMED),
        X,
        "skops",
        "sklearn",
    ),
    "random forest": (
        lambda: RandomForestClassifier(5, random_state=0).fit(TABLE, Y),
        TABLE,
        "skops",
        "sklearn",
    ),
    "own estimator": (lambda: Threshold().fit(X), X, "cloudpickle", "sklearn"),
    "pipeline with a function": (
        lambda: make_pipeline(FunctionTransformer(lambda x: x + 1), LogisticRegression()).fit(X, Y),
        X,
        "cloudpickle",
        "sklearn",
    ),
    "xgboost classifier": (
        lambda: xgboost.XGBClassifier(n_estimators=3).fit(TABLE, Y),
        TABLE,
        "xgboost-ubj",
        "xgboost",
    ),
    "xgboost regressor": (
        lambda: xgboost.XGBRegressor(n_estimators=3).fit(X, Y),
        X,
        "xgboost-ubj",
        "xgboost",
    ),
    "xgboost booster": (
        lambda: xgboost.train({}, xgboost.DMatrix(TABLE, Y), 3),
        TABLE,
        "xgboost-ubj",
        "xgboost",
    ),
    "lightgbm classifier": (
        lambda: lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(TABLE, NAMED),
        TABLE,
        "lightgbm-skops",
        "lightgbm",
    ),
    "lightgbm booster": (
        lambda: lightgbm.train({"verbose": -1}, lightgbm.Dataset(TABLE, Y), 3),
        TABLE,
        "lightgbm-text",
        "lightgbm",
    ),
    "onnx": (
        lambda: to_onnx(LogisticRegression().fit(X, Y), SINGLE[:1], options={"zipmap": False}),
        SINGLE,
        "onnx",
        "onnx",
    ),
    "function": (lambda: first_column, X, "cloudpickle", "python_function"),
    "closure": (lambda: lambda data: np.asarray(data)[:, 1], X, "cloudpickle", "python_function"),
}


@pytest.fixture(scope="module", params=list(CASES))
def case(request: pytest.FixtureRequest) -> tuple[Any, Any, str, str]:
    make, rows, form, flavor = CASES[request.param]
    return make(), rows, form, flavor


def record_of(packed: PackedModel, name: str = "churn") -> ModelRecord:
    facts = ModelFacts(SemanticVersion.parse("1.0.0"), packed.stored, metrics={"auc": 0.9})
    return ModelRecord(name, 1, tags=facts.tags())


def stored(model: Any, folder: Path, **options: Any) -> ModelRecord:
    packed = pack(model, **options)
    packed.write(folder)
    return record_of(packed)


class TestEveryFramework:
    def test_answers_the_same_after_packing_and_unpacking(
        self, case: tuple[Any, Any, str, str], tmp_path: Path
    ) -> None:
        model, rows, form, _ = case
        record = stored(model, tmp_path)
        back = unpack(tmp_path, record, trust=not is_safe(form))
        assert record.stored is not None and record.stored.format == form
        np.testing.assert_array_equal(back.predict(rows), wrap(model).predict(rows))
        assert (back.model_id, back.version, back.metrics) == ("churn/1.0.0", "1.0.0", {"auc": 0.9})

    def test_packs_to_the_same_bytes_twice(self, case: tuple[Any, Any, str, str]) -> None:
        model, rows, _, _ = case
        assert pack(model, input_example=rows[:5]) == pack(model, input_example=rows[:5])

    def test_records_the_digest_and_size_of_every_file(
        self, case: tuple[Any, Any, str, str], tmp_path: Path
    ) -> None:
        packed = pack(case[0])
        packed.write(tmp_path)
        found = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*.*")}
        found["MLmodel"] = (tmp_path / "MLmodel").read_bytes()
        assert packed.stored.files == {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}
        assert packed.stored.size_bytes == sum(map(len, found.values()))
        assert packed.stored.sha256 in packed.stored.files.values()

    def test_is_described_as_it_was_packed(self, case: tuple[Any, Any, str, str], tmp_path: Path) -> None:
        packed = pack(case[0], input_example=case[1][:5])
        packed.write(tmp_path)
        assert describe(tmp_path) == dataclasses.replace(packed.stored, params={})

    def test_is_loaded_by_plain_mlflow(self, case: tuple[Any, Any, str, str], tmp_path: Path) -> None:
        import mlflow

        model, rows, _, flavor = case
        stored(model, tmp_path, input_example=rows[:5])
        expected = np.asarray(wrap(model).predict(rows))
        answer = mlflow.pyfunc.load_model(str(tmp_path)).predict(rows)
        first = next(iter(answer.values())) if isinstance(answer, dict) else answer
        np.testing.assert_array_equal(np.asarray(first), expected)
        if flavor != "python_function":
            native = getattr(mlflow, flavor).load_model(str(tmp_path))
            np.testing.assert_array_equal(np.asarray(wrap(native).predict(rows)), expected)

    def test_only_pickles_need_trust(self, case: tuple[Any, Any, str, str], tmp_path: Path) -> None:
        model, _, form, _ = case
        record = stored(model, tmp_path)
        if form == "cloudpickle":
            with pytest.raises(UntrustedModelError, match=r"pickle runs whatever its author.*trust=True"):
                unpack(tmp_path, record, trust=False)
        else:
            assert unpack(tmp_path, record, trust=False).predict(case[1]) is not None

    def test_gives_json_values_for_json_values(self, case: tuple[Any, Any, str, str]) -> None:
        model, rows, _, _ = case
        given = rows[:3].to_dict("records") if isinstance(rows, pd.DataFrame) else rows[:3].tolist()
        answer = wrap(model).predict(given)
        assert isinstance(answer, list)
        assert [type(value) for value in answer] in ([int] * 3, [float] * 3, [str] * 3)
        assert answer == np.asarray(wrap(model).predict(rows[:3])).tolist()


class TestIntegrity:
    @pytest.fixture
    def record(self, tmp_path: Path) -> ModelRecord:
        return stored(LogisticRegression().fit(X, Y), tmp_path)

    @pytest.mark.parametrize("name", ["model.skops", "MLmodel", "requirements.txt"])
    def test_a_missing_file_is_named(self, record: ModelRecord, tmp_path: Path, name: str) -> None:
        (tmp_path / name).unlink()
        with pytest.raises(IntegrityError, match=f"{name} is missing"):
            unpack(tmp_path, record, trust=True)

    def test_a_truncated_file_is_found_with_both_digests(self, record: ModelRecord, tmp_path: Path) -> None:
        path = tmp_path / "model.skops"
        path.write_bytes(path.read_bytes()[:-1])
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        with pytest.raises(IntegrityError, match=rf"model\.skops .*should be {record.sha256} and is {found}"):
            unpack(tmp_path, record, trust=True)

    def test_one_changed_bit_is_found(self, record: ModelRecord, tmp_path: Path) -> None:
        path = tmp_path / "model.skops"
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        with pytest.raises(IntegrityError, match="changed"):
            unpack(tmp_path, record, trust=False)

    def test_extra_files_do_no_harm(self, record: ModelRecord, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("ours")
        np.testing.assert_array_equal(
            unpack(tmp_path, record, trust=False).predict(X), LogisticRegression().fit(X, Y).predict(X)
        )

    def test_a_record_cannot_name_files_outside(self, record: ModelRecord, tmp_path: Path) -> None:
        assert record.stored is not None
        files = {**record.stored.files, "../secret": "0" * 64}
        forged = ModelFacts(SemanticVersion.parse("1.0.0"), dataclasses.replace(record.stored, files=files))
        with pytest.raises(IntegrityError, match="outside"):
            unpack(tmp_path, ModelRecord("churn", 1, tags=forged.tags()), trust=True)

    def test_a_model_file_without_a_digest_is_not_loaded(self, record: ModelRecord, tmp_path: Path) -> None:
        assert record.stored is not None
        files = {"requirements.txt": record.stored.files["requirements.txt"]}
        forged = ModelFacts(SemanticVersion.parse("1.0.0"), dataclasses.replace(record.stored, files=files))
        with pytest.raises(IntegrityError, match="no digest"):
            unpack(tmp_path, ModelRecord("churn", 1, tags=forged.tags()), trust=True)

    @pytest.mark.parametrize("trust", [True, False])
    def test_tags_cannot_put_other_files_under_the_digest_of_a_model(
        self, tmp_path: Path, trust: bool
    ) -> None:
        benign = pack(LogisticRegression().fit(X, Y)).stored
        other = pack(LogisticRegression(C=9.0).fit(X, Y))
        other.write(tmp_path)
        forged = record_of(PackedModel(other.files, dataclasses.replace(other.stored, sha256=benign.sha256)))
        with pytest.raises(IntegrityError, match=f"should be {benign.sha256} and is {other.stored.sha256}"):
            unpack(tmp_path, forged, trust=trust)

    def test_mlmodel_cannot_name_files_outside(self, tmp_path: Path) -> None:
        stored(LogisticRegression().fit(X, Y), tmp_path / "model")
        (tmp_path / "model.skops").write_bytes((tmp_path / "model" / "model.skops").read_bytes())
        about = tmp_path / "model" / "MLmodel"
        about.write_text(about.read_text().replace('"model.skops"', '"../model.skops"'))
        with pytest.raises(IntegrityError, match="outside"):
            unpack(tmp_path / "model", ModelRecord("churn", 1), trust=True)

    def test_a_forged_pickle_behind_a_safe_format_does_not_run(self, tmp_path: Path) -> None:
        """Tags and files can both be edited in MLflow: what is safe is decided by what is there."""
        import pickle

        class Evil:
            def __reduce__(self) -> Any:
                return (Path.touch, (tmp_path / "it-ran",))

        record = stored(LogisticRegression().fit(X, Y), tmp_path)
        assert record.stored is not None
        content = pickle.dumps(Evil())
        (tmp_path / "model.skops").write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        files = {**record.stored.files, "model.skops": digest}
        forged = dataclasses.replace(record.stored, sha256=digest, files=files)
        tags = ModelFacts(SemanticVersion.parse("1.0.0"), forged).tags()
        with pytest.raises(UntrustedModelError, match="pickle"):
            unpack(tmp_path, ModelRecord("churn", 1, tags=tags), trust=False)
        assert not (tmp_path / "it-ran").exists()

    def test_an_xgboost_file_of_a_foreign_class_is_refused(self, tmp_path: Path) -> None:
        stored(xgboost.XGBRegressor(n_estimators=2).fit(X, Y), tmp_path)
        about = tmp_path / "MLmodel"
        about.write_text(about.read_text().replace("xgboost.sklearn.XGBRegressor", "subprocess.Popen"))
        with pytest.raises(UntrustedModelError, match=r"subprocess\.Popen"):
            unpack(tmp_path, ModelRecord("churn", 1), trust=False)

    @pytest.mark.parametrize("case_name", ["xgboost booster", "lightgbm booster", "onnx"])
    def test_a_damaged_native_file_is_a_data_error(self, case_name: str, tmp_path: Path) -> None:
        stored(CASES[case_name][0](), tmp_path)
        path = next(path for path in tmp_path.iterdir() if path.name.startswith("model."))
        path.write_bytes(b"not a model at all")
        with pytest.raises(DataError):
            unpack(tmp_path, ModelRecord("churn", 1), trust=False)


class TestWhatIsStored:
    def test_the_type_is_the_class_unless_one_is_given(self) -> None:
        model = LogisticRegression().fit(X, Y)
        assert pack(model).stored.model_type == "sklearn.linear_model._logistic.LogisticRegression"
        assert pack(model, model_type="churn").stored.model_type == "churn"

    def test_parameters_are_those_of_the_model_unless_some_are_given(self) -> None:
        model = LogisticRegression(C=0.25).fit(X, Y)
        assert pack(model).stored.params["C"] == 0.25
        assert pack(model, params={"depth": np.int64(3)}).stored.params == {"depth": 3}

    def test_parameters_of_parts_are_told_and_parts_by_their_class(self) -> None:
        params = pack(make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(X, Y)).stored.params
        assert params["logisticregression__C"] == 0.5
        assert params["standardscaler"] == "sklearn.preprocessing._data.StandardScaler"

    def test_parameters_that_are_no_numbers_in_json_are_text(self) -> None:
        assert pack(first_column, params={"gap": float("nan"), "seed": 2**60}).stored.params == {
            "gap": "nan",
            "seed": "1152921504606846976",
        }

    def test_a_parameter_that_reads_files_is_stored_as_a_pickle(self, tmp_path: Path) -> None:
        files = [tmp_path / "a.txt", tmp_path / "b.txt"]
        for file in files:
            file.write_text(f"words of {file.stem} {file.stem}{file.stem}", encoding="utf-8")
        model = make_pipeline(CountVectorizer(input="filename"), LogisticRegression()).fit(files, [0, 1])
        assert pack(model).stored.format == "cloudpickle"

    def test_the_fall_back_to_a_pickle_is_said_once(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level("INFO", logger="hokusai"):
            pack(Threshold().fit(X))
        said = [
            record.getMessage() for record in caplog.records if "stored as a pickle" in record.getMessage()
        ]
        assert len(said) == 1 and "Threshold" in said[0]

    def test_requirements_pin_what_loading_needs(self) -> None:
        import sklearn
        import skops

        lines = pack(LogisticRegression().fit(X, Y)).files["requirements.txt"]
        assert isinstance(lines, bytes)
        assert f"scikit-learn=={sklearn.__version__}\n" in lines.decode()
        assert f"skops=={skops.__version__}\n" in lines.decode()

    def test_code_of_ones_own_module_travels_with_the_model(self, tmp_path: Path) -> None:
        """Another process, which has never seen this test module, can use the model."""
        packed = pack(first_column)
        packed.write(tmp_path)
        code = f"import pickle; print(pickle.load(open({str(tmp_path / 'model.pkl')!r}, 'rb'))([[2, 3], [4, 5]]))"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/"
        )
        assert done.stdout.strip() == "[4 8]"

    def test_a_model_that_holds_a_lock_cannot_be_stored(self) -> None:
        import threading

        lock = threading.Lock()
        with pytest.raises(InvalidInputError, match="cannot be stored"):
            pack(lambda data: (lock, data))

    def test_a_booster_that_is_not_fitted_cannot_be_stored(self) -> None:
        with pytest.raises(InvalidInputError, match="cannot be stored: NotFittedError"):
            pack(xgboost.XGBClassifier())

    def test_a_model_of_ones_own_is_itself_again(self, tmp_path: Path) -> None:
        record = stored(OwnModel("mine/1.0.0", "custom", "1.0.0"), tmp_path)
        back = unpack(tmp_path, record, trust=True)
        assert (back.model_id, back.predict([1, 2])) == ("mine/1.0.0", [2, 4])

    def test_a_task_model_is_stored_as_the_model_inside(self) -> None:
        inside = LogisticRegression().fit(X, Y)
        assert pack(CustomModel("a/1.0.0", "1.0.0", inside)).stored == pack(inside).stored

    def test_packing_scikit_learn_imports_no_mlflow(self) -> None:
        code = (
            "import sys, pandas as pd; from sklearn.linear_model import LogisticRegression;"
            "from hokusai.core.models import pack;"
            "t = pd.DataFrame({'a': [0.0, 1.0], 'b': [1.0, 0.0]});"
            "pack(LogisticRegression().fit(t, [0, 1]), input_example=t); print('mlflow' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "False"


class TestSignatureOfAModel:
    def test_follows_from_an_example_and_the_models_answer(self) -> None:
        told = pack(LogisticRegression().fit(TABLE, Y), input_example=TABLE[:3]).stored.signature
        assert told is not None
        assert '{"type": "double", "name": "a", "required": true}' in told["inputs"]
        assert told["outputs"] == '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'

    def test_an_example_may_be_records(self) -> None:
        model = LogisticRegression().fit(TABLE, Y)
        records = TABLE[:3].to_dict("records")
        assert pack(model, input_example=records).stored == pack(model, input_example=TABLE[:3]).stored

    def test_an_example_that_cannot_be_predicted_is_refused(self) -> None:
        with pytest.raises(InvalidInputError, match="cannot predict the input example"):
            pack(LogisticRegression().fit(X, Y), input_example=X[:2, :3])

    def test_without_an_example_it_has_the_names_and_no_types(self, tmp_path: Path) -> None:
        record = stored(LogisticRegression().fit(TABLE, Y), tmp_path)
        assert record.stored is not None and record.stored.signature is not None
        assert record.stored.signature["inputs"].startswith('[{"type": "any", "name": "a"')
        assert "signature" not in (tmp_path / "MLmodel").read_text()

    def test_one_that_is_given_is_taken(self) -> None:
        from mlflow.models import infer_signature

        given = infer_signature(TABLE[:2], Y[:2])
        model = LogisticRegression().fit(TABLE, Y)
        assert pack(model, signature=given).stored.signature == given.to_dict()
        assert pack(model, signature=given.to_dict()).stored.signature == given.to_dict()

    @pytest.mark.parametrize("wrong", ["x", {"input": "[]"}, {"inputs": "no json"}, 3])
    def test_what_is_no_signature_is_refused(self, wrong: Any) -> None:
        with pytest.raises(InvalidInputError, match="signature"):
            pack(first_column, signature=wrong)
