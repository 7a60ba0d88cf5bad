from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from p2p.errors import NotebookError
from p2p.params import ParameterSet, read_parameters

WIDE = r'''
month: Annotated[int, Field(ge=1, le=12)] = 1  # 1-12
share = 0.2  # a "quoted" \ help with """three"""
kind: Literal["fast", "exact"] = "fast"
date: date = date(2024, 1, 1)  # named as its type
end: "date | None" = None
copy = True  # named as a method of pydantic's
json: tuple = 1, 2
model_dump_x = 3
hours = 24
seconds = hours * 3600
_root = Path("data")
out: Path = _root / "a"
numbers: list[int] = [
    1,  # one
    2,
]
text = """two
    lines"""
token: SecretStr = SecretStr("")
described: Annotated[int, Field(description="from the annotation")] = 1  # from the comment
when = time(12)
odd = float("nan")
nothing = None
needed: dict[str, float]
'''


def executed(parameters: ParameterSet, folder: Path) -> type[BaseModel]:
    lines, text = parameters.model_source()
    path = folder / "params_written.py"
    path.write_text("\n".join(lines) + "\n\n\n" + text)
    spec = importlib.util.spec_from_file_location("params_written", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["params_written"] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules["params_written"]
    made: type[BaseModel] = module.Params
    return made


@pytest.mark.parametrize("source", [WIDE, "", "import datetime\nx = datetime.datetime(2024, 1, 1)", "model_config = 1",
                                    "datetime = datetime(2024, 1, 1)", "Field = 1\ncopy = (i for i in ()).__name__",
                                    "int: int = 3\nx = int"])  # fmt: skip  # a short table
def test_the_written_class_is_the_same_model(source: str, tmp_path: Path) -> None:
    parameters = read_parameters(source)
    written, own = executed(parameters, tmp_path), parameters.model
    assert repr(written.model_json_schema()) == repr(own.model_json_schema())


def test_the_written_class_has_the_same_defaults(tmp_path: Path) -> None:
    parameters = read_parameters(WIDE)
    made: Any = executed(parameters, tmp_path)(needed={"a": 1})
    typed = parameters.parse({"needed": {"a": 1}}).typed
    assert {name: repr(getattr(made, parameters.attribute(name))) for name in typed} == {
        name: repr(value) for name, value in typed.items()
    }


def test_the_source_is_as_the_author_wrote_it() -> None:
    lines, text = read_parameters("month: Annotated[int,Field(ge=1)] = 0x1  # 1-12\nshare = 0.2").model_source()
    assert lines == ["from pydantic import BaseModel, ConfigDict, Field", "from typing import Annotated"]
    assert text == (
        "class Params(BaseModel):\n"
        '    """The parameters of the notebook."""\n'
        "\n"
        '    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)\n'
        "\n"
        "    month: Annotated[int,Field(ge=1)] = 0x1\n"
        '    """1-12"""\n'
        "\n"
        "    share: float = 0.2\n"
    )


def test_the_source_can_be_executed_without_a_file() -> None:
    lines, text = read_parameters(WIDE).model_source()
    namespace: dict[str, Any] = {}
    # Not with this file's own `from __future__ import annotations`, which `exec` would pass on.
    exec(compile("\n".join([*lines, text]), "params.py", "exec", dont_inherit=True), namespace)
    assert namespace["Params"](needed={}).month == 1


def test_imports_of_other_cells_come_along_and_unneeded_ones_do_not(tmp_path: Path) -> None:
    parameters = read_parameters("x: dt.date = dt.date(2024, 1, 1)", ["import datetime as dt\nimport json"])
    lines, _ = parameters.model_source()
    assert lines == ["import datetime as dt", "from pydantic import BaseModel, ConfigDict"]
    executed(parameters, tmp_path)


@pytest.mark.parametrize("source", ['x: SecretStr = SecretStr("hunter2")', 'x: SecretStr = "hunter2"',
                                    'x: dict[str, SecretStr] = {"a": "hunter2"}'])  # fmt: skip  # a short table
def test_a_secret_default_is_not_written_down(source: str) -> None:
    with pytest.raises(NotebookError, match="'x' has a secret") as caught:
        read_parameters(source).model_source()
    assert "hunter2" not in str(caught.value)


def test_a_secret_from_the_environment_is_written_as_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "hunter2")
    _, text = read_parameters('import os\nx: SecretStr = SecretStr(os.environ["TOKEN"])').model_source()
    assert 'os.environ["TOKEN"]' in text
    assert "hunter2" not in text
