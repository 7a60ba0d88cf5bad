from __future__ import annotations

import datetime
import enum
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, SecretStr

from p2p.errors import NotebookError
from p2p.params import read_parameters


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of the author's, with an enumeration and a model."""
    source = (
        "import enum\nfrom pydantic import BaseModel\n"
        "class Colour(enum.Enum):\n    RED = 'red'\n    BLUE = 'blue'\n"
        "class Size(BaseModel):\n    width: int\n    height: int = 1\n"
    )
    (tmp_path / "shop_for_params.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    import shop_for_params

    yield shop_for_params
    del sys.modules["shop_for_params"]


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        ("int", "3", 3),
        ("float", "3", 3.0),
        ("bool", "true", True),
        ("str", "3", "3"),
        ('Literal["a", "b"]', "b", "b"),
        ("Literal[1, 2]", "2", 2),
        ("int | None", "None", None),
        ("int | None", "4", 4),
        ("Optional[str]", "null", None),
        ("Optional[str]", "12", "12"),
        ("Union[int, str]", "x", "x"),
        ("list[int]", "[1, 2]", [1, 2]),
        ("dict[str, float]", '{"a": 1}', {"a": 1.0}),
        ("tuple[int, str]", '[1, "a"]', (1, "a")),
        ("tuple", "[1]", (1,)),
        ("set[int]", "[1, 1]", {1}),
        ("date", "2024-02-29", datetime.date(2024, 2, 29)),
        ("datetime", "2024-02-29T10:00", datetime.datetime(2024, 2, 29, 10)),
        ("time", "12:30", datetime.time(12, 30)),
        ("timedelta", "PT5M", datetime.timedelta(minutes=5)),
        ("Path", "data/a.csv", Path("data/a.csv")),
        ("Decimal", "0.10000000000000000000001", Decimal("0.10000000000000000000001")),
        ("Annotated[float, Field(gt=0, lt=1)]", "0.5", 0.5),
        ("UUID", "12345678123456781234567812345678", UUID("12345678123456781234567812345678")),
        ("SecretStr", "123", SecretStr("123")),
        ("Any", "[1, null]", [1, None]),
        ('"date | None"', "2024-01-01", datetime.date(2024, 1, 1)),
    ],
)
def test_each_kind_of_annotation_works_without_an_import(annotation: str, text: str, value: object) -> None:
    typed = read_parameters(f"x: {annotation}").parse(text={"x": text}).typed["x"]
    assert typed == value
    assert type(typed) is type(value)


def test_an_imported_enumeration_and_model_work(shop: Any) -> None:
    source = "colour: Colour = Colour.RED\nsize: s.Size = s.Size(width=2)"
    parameters = read_parameters(source, ["from shop_for_params import Colour", "import shop_for_params as s"])
    values = parameters.parse(text={"colour": "blue", "size": '{"width": 5}'})
    assert values.typed == {"colour": shop.Colour.BLUE, "size": shop.Size(width=5)}
    assert values.literals() == {"colour": "blue", "size": {"width": 5, "height": 1}}
    assert parameters.describe()[0]["bounds"] == {"choices": ["red", "blue"]}


@pytest.mark.parametrize(
    ("default", "kind"),
    [("True", bool), ("1", int), ("1.5", float), ("'a'", str), ("[1]", list), ("{}", dict), ("None", Any),
     ("(1, 2)", tuple), ("{1}", set), ("date(2024, 1, 1)", datetime.date), ("Path('a')", Path)],
)  # fmt: skip  # one pair after the other
def test_without_annotation_the_type_is_that_of_the_default(default: str, kind: object) -> None:
    assert read_parameters(f"x = {default}").parameters[0].annotation is kind


def test_a_float_takes_an_integer() -> None:
    typed = read_parameters("x = 0.5").parse({"x": 1}).typed["x"]
    assert (typed, type(typed)) == (1.0, float)


@pytest.mark.parametrize(
    "cell", ["from math import pi", "import sys\nfrom math import pi\nraise SystemExit", "%%time\nfrom math import pi"]
)
def test_an_import_of_another_cell_is_used_and_the_rest_of_it_is_not_run(cell: str) -> None:
    parameters = read_parameters("x = pi", ["%%bash\nls -la | cat", cell])
    assert parameters.parse().typed["x"] == pytest.approx(3.14159, abs=1e-5)
    assert parameters.imports == ("from math import pi",)


def test_an_import_that_no_annotation_or_default_needs_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "not_needed_for_params.py").write_text("raise RuntimeError")
    monkeypatch.syspath_prepend(tmp_path)
    source = "import not_needed_for_params\nfrom not_needed_for_params import y\nx: int = 1\nprint(y)"
    assert read_parameters(source, [source]).parse().typed == {"x": 1}


def test_an_import_wins_over_the_ready_name() -> None:
    parameters = read_parameters("start: datetime.date = datetime.date(2024, 1, 1)", ["import datetime"])
    assert parameters.parse().typed == {"start": datetime.date(2024, 1, 1)}


def test_two_imports_of_one_package_add_up() -> None:
    parameters = read_parameters("x = xml.sax.__name__ + xml.dom.__name__", ["import xml.sax", "import xml.dom"])
    assert parameters.parse().typed["x"] == "xml.saxxml.dom"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("x: Foo = 1", r"`Foo` of parameter 'x' \(line 1\).*Import the name"),
        ("x: list['Foo'] = []", "parameter 'x'.*Import the name"),
        ("from no_such_module import Foo\nx: Foo = 1", "'x'.*`from no_such_module import Foo` failed"),
        ("x: 5 = 5", "parameter 'x'.*no type"),
        ("x: Annotated[str, Field(gt=0)] = 'a'", "parameter 'x'.*no type"),
        ("from typing import ClassVar\nx: ClassVar[int] = 5", "parameter 'x'.*no type"),
        ("x: Annotated[int, Field(alias='y')] = 5", "parameter 'x'.*alias"),
        ("x: Annotated[int, Field(default=5)]", "parameter 'x'.*default"),
        ("x: int = Field(5, gt=0)", r"parameter 'x'.*Write `x: Annotated\[int"),
        ("x = y", "parameter 'x'.*'y' is not defined.*call it '_x'"),
        ("x = open('f').read()", "parameter 'x'.*'open' is not defined"),
        ("x = __import__('os')", "parameter 'x'.*'__import__' is not defined"),
        ("x = lambda: 1", "Parameter 'x'.*type function"),
        ("Ratio = Annotated[float, Field(gt=0)]", "Parameter 'Ratio'.*Call it '_Ratio'"),
        ("x: int\ny = x + 1", "parameter 'y'.*'x', which has no default"),
    ],
)
def test_what_cannot_be_worked_out_is_refused_with_name_reason_and_cure(source: str, says: str) -> None:
    with pytest.raises(NotebookError, match=says):
        read_parameters(source)


def test_all_declarations_that_fail_are_named_at_once() -> None:
    with pytest.raises(NotebookError, match=r"'x'.*'y'") as caught:
        read_parameters("x: Foo = 1\nok = 1\ny = nope")
    assert len(caught.value.fields["problems"]) == 2


def test_a_default_may_use_the_lines_above_it() -> None:
    source = "_root = Path('data')\nhours = 24\nseconds = hours * 3600\nhours = 2\n"
    source += "train = _root / 'a'\nl = [hours for _ in 'ab']"
    typed = read_parameters(source).parse().typed
    assert typed == {"seconds": 86400, "hours": 2, "train": Path("data/a"), "l": [2, 2]}


def test_a_private_alias_names_a_type() -> None:
    parameters = read_parameters("_Ratio = Annotated[float, Field(gt=0)]\nx: _Ratio = 0.5")
    assert parameters.describe()[0]["bounds"] == {"gt": 0}


def test_a_parameter_may_have_the_name_of_its_type() -> None:
    parameters = read_parameters("date: date = date(2024, 1, 1)\nend: date | None = None")
    assert parameters.parse(text={"end": "2024-05-01", "date": "2024-02-01"}).typed == {
        "date": datetime.date(2024, 2, 1),
        "end": datetime.date(2024, 5, 1),
    }


@pytest.mark.parametrize("name", [*sorted(n for n in dir(BaseModel) if not n.startswith("_")), "model_x", "self", "cls",
                                  "Params", "Field", "mro"])  # fmt: skip  # a short table
def test_a_parameter_may_have_a_name_that_pydantic_uses(name: str) -> None:
    parameters = read_parameters(f"{name}: int = 1")
    assert parameters.parse().typed == {name: 1}
    assert parameters.parse({name: 2}).typed == {name: 2}
    assert parameters.parse({name: 2}).overridden == (name,)


def test_importing_is_cheap() -> None:
    code = "import sys, p2p.params; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"mlflow", "pandas", "numpy", "papermill", "IPython", "nbformat", "pyarrow"} & set(loaded)


def test_an_enumeration_is_not_mistaken_for_its_base(shop: Any) -> None:
    parameters = read_parameters("colour = Colour.RED", ["from shop_for_params import Colour"])
    assert issubclass(parameters.parameters[0].annotation, enum.Enum)
