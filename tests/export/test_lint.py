"""What p2p writes passes the settings for user code, which are those that `docs/how-to/lint.md` shows.

What the notebook's own code does against them stays its author's. It is listed here, so that nothing hides behind it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path

import pytest

from p2p.export import emit, export_notebook, testfiles
from p2p.export.badparams import bad_parameters
from p2p.export.compile import compile_notebook
from p2p.notebook import parameters_of, read_notebook
from p2p.settings import Settings
from tests.corpus import bench as corpus
from tests.corpus.bench import Bench
from tests.corpus.reading import NOTEBOOKS, read_spec, write_spec
from tests.export.sales import module

ROOT = Path(__file__).resolve().parents[2]
COMPILED = [
    "async_step", "dataclass_of_the_notebook", "decorators", "helper_with_a_mutable_default", "namedtuple_and_enum",
    "parameter_rebound", "parameters_of_several_types", "star_import_of_a_known_module", "step_function_nested",
    "step_function_with_several_values", "two_meanings_of_an_import", "type_hints_on_helpers",
]  # fmt: skip
# What the notebooks themselves do, most of them on purpose: by linter's rule or type checker's code.
THEIRS = {
    ("default_argument_of_data", "B008"), ("except_name_is_gone", "index"), ("for_else_and_while_else", "operator"),
    ("future_annotations", "F821"), ("future_annotations", "name-defined"), ("helper_with_a_mutable_default", "B006"),
    ("globals_of_a_step_s_cell", "return-value"),  # a None that an inner function replaces
    ("lambda_defaults", "B023"), ("match_captures", "used-before-def"), ("unknown_name_that_is_never_read", "F821"),
    ("unknown_name_that_is_never_read", "name-defined"), ("warnings_filter", "B028"),
}  # fmt: skip
# Libraries that a quick check does not look into: it then takes them for Any.
HEAVY = ("pandas", "numpy", "pandera", "mlflow", "sklearn", "scipy", "dask", "distributed", "IPython", "pyarrow")


def shown_settings() -> str:
    """The block of the documentation, as a `pyproject.toml`."""
    found = re.search(r"^```toml\n(.*?)^```$", (ROOT / "docs/how-to/lint.md").read_text(encoding="utf-8"), re.M | re.S)
    assert found is not None
    return found[1]


@pytest.fixture(autouse=True)
def _with_the_shown_settings(project: Path) -> None:
    (project / "pyproject.toml").write_text(shown_settings(), encoding="utf-8")


def write_version(project: Path, name: str, files: Mapping[str, str]) -> None:
    """Write files as version 1 of a pipeline of this project."""
    version = project / "pipelines" / name / "v1"
    for folder in (version / "tests", version, version.parent, version.parents[1]):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
    for file, text in files.items():
        (version / file).write_text(text, encoding="utf-8")


def compiled(name: str, folder: Path) -> dict[str, str]:
    """The files that a notebook of the corpus becomes, without running it."""
    notebook = read_notebook(write_spec(read_spec(NOTEBOOKS / f"{name}.cells"), folder))
    parameters = parameters_of(notebook)
    plan = compile_notebook(notebook, name, [p["name"] for p in parameters.describe()])
    without = {step.name: "it gives nothing" for step in plan.steps if not step.outputs}
    return {
        "params.py": emit.params_file(parameters, plan),
        "steps.py": emit.steps_file(plan, {}, parameters),
        "pipeline.py": emit.pipeline_file(plan, 1),
        "contracts.py": "from typing import Any\n\nCONTRACTS: dict[str, Any] = {}\n",
        "tests/conftest.py": testfiles.conftest_file(plan, 1),
        "tests/test_pipeline.py": testfiles.test_file(plan, 1, without, bad_parameters(parameters), {}),
    }


def findings(project: Path, *more: str) -> set[tuple[str, str]]:
    """By pipeline, the rules that linter, formatter and type checker find broken; `more` is for the last of them."""
    lint = run(project, "ruff", "check", "--output-format", "concise", "pipelines")
    laid_out = run(project, "ruff", "format", "--check", "pipelines")
    types = run(
        project, "mypy", "--no-error-summary", "--no-color-output", "--cache-dir", os.devnull, *more, "pipelines"
    )
    found = re.findall(r"^pipelines/(\w+)/v1/\S+: (?:error: .*\[([\w-]+)\]$|([A-Z]+\d+) )", f"{lint}\n{types}", re.M)
    found += re.findall(r"^Would reformat: pipelines/(\w+)/(.*)()$", laid_out, re.M)
    clean = lint == "All checks passed!\n" and "Would" not in laid_out and not types
    assert found or clean, lint + laid_out + types
    return {(pipeline, code or rule) for pipeline, code, rule in found}


def run(project: Path, tool: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", tool, *arguments], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def without_heavy_imports(project: Path) -> str:
    """A type checker's settings that look into p2p and pydantic, and into no library that takes long."""
    shown = tomllib.loads(shown_settings())["tool"]["mypy"]
    lines = [f"{name} = {','.join(value) if isinstance(value, list) else value}" for name, value in shown.items()]
    heavy = f"[mypy-{','.join(f'{name}.*' for name in HEAVY)}]"
    text = "\n".join(["[mypy]", *lines, heavy, "follow_imports = skip", "follow_imports_for_stubs = true"])
    (project / "quick.ini").write_text(f"{text}\n", encoding="utf-8")
    return "quick.ini"


def test_what_is_generated_passes_the_linter_and_the_type_checker(project: Path, tmp_path: Path) -> None:
    """Of a dozen notebooks, checked at once; the type checker takes what comes from large libraries for Any."""
    texts = module()
    write_version(project, "sales", {**texts, "tests/test_pipeline.py": texts.pop("tests.py")})
    for name in COMPILED:
        write_version(project, name, compiled(name, tmp_path / "notebooks"))
    found = findings(project, "--config-file", without_heavy_imports(project))
    assert found == {("helper_with_a_mutable_default", "B006")}


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


@pytest.mark.soak
def test_every_module_of_the_corpus_passes_but_for_what_the_notebooks_do_themselves(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bench: Bench
) -> None:
    """Recorded and proven, so that types and contracts are those of the values, and checked with all libraries."""
    monkeypatch.setattr(corpus, "_steps_formatted", nullcontext)
    count = 0
    for path in sorted(NOTEBOOKS.glob("*.cells")):
        folder = tmp_path / "work" / path.stem
        folder.mkdir(parents=True)
        if bench.outcome(read_spec(path), folder).kind == "equal":
            files = folder.glob("module/pipelines/corpus/v1/*.py")
            write_version(project, path.stem, {file.name: file.read_text(encoding="utf-8") for file in files})
            count += 1
    assert count > 150
    assert findings(project) == THEIRS


@pytest.mark.soak
def test_the_example_pipelines_pass_with_all_their_libraries(settings: Settings) -> None:
    """Exported anew: what the repository holds may be of an earlier generator."""
    for name in ("penguins", "flight_delays"):
        copy = shutil.copy(ROOT / "notebooks" / f"{name}.ipynb", settings.root / "notebooks")
        assert export_notebook(Path(copy), settings).written
    assert findings(settings.root) == set()
