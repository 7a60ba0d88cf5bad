"""The documentation: complete, true to the code, and its examples run."""

from __future__ import annotations

import ast
import dataclasses
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

import p2p
from p2p import errors
from p2p.cli.app import app
from p2p.manifest import Manifest
from p2p.model import ValueRef
from p2p.testing import __all__ as testing_names
from p2p.tracking import RunFacts

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
REFERENCE = DOCS / "reference"
COMMAND: Any = typer.main.get_command(app)
LONGEST = 600.0  # seconds that one command of an example may take, on a machine that does other work too


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language, its text, and the exit code when a mark above it says that it is run."""

    page: Path
    line: int
    language: str
    text: str
    run: int | None

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"

    def commands(self) -> list[list[str]]:
        return [shlex.split(line[2:], comments=True) for line in self.text.splitlines() if line.startswith("$ ")]

    def outputs(self) -> list[str]:
        return [line for line in self.text.splitlines() if line.strip() and not line.startswith("$ ")]


_BLOCK = re.compile(
    r"(?:^<!-- run(?:: exit (?P<code>\d+))? -->(?P<marked>\n))?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S
)


def blocks_of(page: Path) -> Iterator[Block]:
    source = page.read_text(encoding="utf-8")
    for match in _BLOCK.finditer(source):
        run = int(match["code"] or 0) if match["marked"] else None
        line = source.count("\n", 0, match.start()) + 1
        yield Block(page, line, match["language"], match["text"], run)


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
CONSOLE = [block for block in BLOCKS if block.language == "console"]
RUN_PYTHON = [block for block in BLOCKS if block.language == "python" and block.run is not None]
RUN_PAGES = sorted({block.page for block in CONSOLE if block.run is not None})


def headings(page: Path) -> list[str]:
    prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.findall(r"^#+ +(.*?) *$", prose, re.M)


def section(page: Path, heading: str) -> str:
    """The text under a heading, up to the next one of its level or above."""
    text = page.read_text(encoding="utf-8")
    match = re.search(rf"^(#+) {re.escape(heading)}$(.*?)(?=^#{{1,3}} |\Z)", text, re.M | re.S)
    assert match is not None, f"{page.name} has no heading '{heading}'"
    return match[2]


def sources() -> dict[str, str]:
    return {p.relative_to(ROOT).as_posix(): p.read_text(encoding="utf-8") for p in (ROOT / "p2p").rglob("*.py")}


# -- complete ----------------------------------------------------------------------------------------------------------


def test_every_verb_has_a_heading_and_each_of_its_options_is_named_under_it() -> None:
    page = REFERENCE / "cli.md"
    missing = []
    groups = {verb: command for verb, command in COMMAND.commands.items() if hasattr(command, "commands")}
    below = {f"{verb} {name}": c for verb, group in groups.items() for name, c in group.commands.items()}
    assert "store prune" in below
    for verb, command in {**{f"p2p {verb}": c for verb, c in COMMAND.commands.items()}, **below}.items():
        text = section(page, verb)
        for parameter in command.params:
            missing += [f"{verb} {name}" for name in parameter.opts if name.startswith("-") and f"`{name}" not in text]
    assert missing == []


def test_every_verb_in_the_reference_exists() -> None:
    written = {h.removeprefix("p2p ") for h in headings(REFERENCE / "cli.md") if h.startswith("p2p ")}
    assert written == set(COMMAND.commands)


def test_every_error_has_a_heading_and_a_cure() -> None:
    page = REFERENCE / "errors.md"
    kinds = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, errors.P2PError)]
    assert [k.__name__ for k in kinds if k.__name__ not in headings(page)] == []
    assert [k.__name__ for k in kinds[1:] if "**Cure**" not in section(page, k.__name__)] == []


def test_every_environment_variable_that_the_settings_read_has_a_heading() -> None:
    text = sources()["p2p/settings.py"]
    names = set(re.findall(r"""env(?:\.get)?[\[(]"([A-Z0-9_]+)\"""", text))
    assert names >= {"P2P_ROOT", "MLFLOW_TRACKING_URI"}
    assert names - set(headings(REFERENCE / "settings.md")) == set()


def test_every_environment_variable_of_ours_is_named_in_the_settings() -> None:
    names = {name for text in sources().values() for name in re.findall(r'"(P2P_[A-Z_]+)"', text)}
    text = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    assert sorted(name for name in names if name not in text) == []


def test_every_kind_of_event_in_the_code_has_a_heading_and_every_heading_a_kind() -> None:
    emitted = re.compile(r'(?:journal\.append|events\.append|self\.append|_tell)\(\s*"([a-z_]+)"')
    kinds = {kind for text in sources().values() for kind in emitted.findall(text)}
    assert len(kinds) >= 9
    written = {h.strip("`") for h in headings(REFERENCE / "formats.md") if h.startswith("`")}
    assert written == kinds


@pytest.mark.parametrize(
    ("heading", "record"),
    [
        ("The manifest, format 1", Manifest),
        ("A reference to a value", ValueRef),
        ("`run_opened`", RunFacts),
    ],
)
def test_every_field_of_a_format_is_described(heading: str, record: Any) -> None:
    text = section(REFERENCE / "formats.md", heading)
    names = [f.name for f in dataclasses.fields(record)]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_every_codec_of_the_value_store_is_described() -> None:
    from p2p.store import CODECS

    text = section(REFERENCE / "formats.md", "The value store")
    assert [c.name for c in CODECS if f"| `{c.name}` | `{c.suffix}` |" not in text] == []


def test_every_public_name_has_a_place_in_the_reference() -> None:
    text = (REFERENCE / "api.md").read_text(encoding="utf-8")
    assert [n for n in p2p.__all__ if f"p2p.{n}" not in text] == []
    assert [n for n in testing_names if f"- {n}\n" not in text] == []


def test_every_tag_and_metric_that_the_code_writes_is_described() -> None:
    text = (REFERENCE / "metrics-and-tags.md").read_text(encoding="utf-8")
    sending, feeder, traces = (sources()[f"p2p/tracking/{name}.py"] for name in ("sending", "feeder", "traces"))
    written = re.findall(r'"(p2p\.[a-z_]+|mlflow\.(?:source\.[a-z.]+|user))"', sending + feeder + traces)
    names = set(written) - {"p2p.step"}
    assert len(names) >= 9
    assert sorted(n for n in names if f"`{n}`" not in text) == []
    metrics = [
        m.replace("{step}", "<step>").replace("{name}", "<output>") for m in re.findall(r'f"({step}/[^"]*)"', feeder)
    ]
    assert metrics
    assert [m for m in metrics if f"`{m}`" not in text] == []


def test_every_make_target_and_generated_file_is_explained_in_the_layout() -> None:
    text = (DOCS / "layout.md").read_text(encoding="utf-8")
    writers = [ast.parse(sources()[f"p2p/{name}.py"]) for name in ("export/work", "export/manifests", "manifest")]
    constants = {
        n.value for tree in writers for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)
    }
    files = sorted(c for c in constants if re.fullmatch(r"[a-z_]+\.(py|json|lock)", c))
    assert {"params.py", "steps.py", "pipeline.py", "contracts.py", "manifest.json", "requirements.lock"} <= set(files)
    assert [name for name in files if name not in text] == []


def test_every_directory_of_the_project_is_explained_in_the_layout() -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tops = {name.partition("/")[0] + ("/" if "/" in name else "") for name in tracked.split("\0") if name}
    text = (DOCS / "layout.md").read_text(encoding="utf-8")
    assert sorted(top for top in tops - {".gitignore"} if f"`{top}" not in text) == []


def test_every_decision_says_what_would_change_our_mind_and_is_in_the_index() -> None:
    index = (DOCS / "decisions" / "index.md").read_text(encoding="utf-8")
    pages = sorted((DOCS / "decisions").glob("0*.md"))
    assert len(pages) >= 8
    for page in pages:
        assert headings(page)[1:] == ["Context", "Choice", "What would change our mind"], page.name
        assert f"({page.name})" in index, page.name


def test_the_readme_opens_with_the_two_commands_and_then_a_picture() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    places = [text.index(part) for part in ("# p2p", "$ make demo", "$ make test", "docs/pictures/", "\n## ")]
    assert places == sorted(places)
    assert text.index("\n## ") < 1500


# -- true --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_and_picture_of_a_page_exists(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", prose)]
    inside = [t for t in targets if t and not re.match(r"[a-z]+:", t)]
    assert [t for t in inside if not (page.parent / t).is_file()] == []


@pytest.mark.parametrize("block", CONSOLE, ids=str)
def test_every_command_in_the_documentation_can_be_parsed(block: Block) -> None:
    assert block.commands(), "a console block shows at least one command"
    for words in block.commands():
        check_command(words)


def check_command(words: list[str]) -> None:
    """Fail for a verb, an option or a make target that is not there."""
    match words:
        case ["p2p", verb, *arguments]:
            assert verb in COMMAND.commands
            COMMAND.commands[verb].make_context(verb, list(arguments))
        case ["make", target]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
        case ["python", "-m", module, *_]:
            assert module == "p2p" or re.fullmatch(r"pipelines\.[a-z_]+", module)
        case [program, *_]:
            assert program in ("jupyter", "mypy", "papermill", "pytest", "ruff")


def test_a_command_that_does_not_parse_is_found() -> None:
    """The check above is worth something: a misspelt option does not pass."""
    with pytest.raises(Exception, match="No such option"):
        check_command(["p2p", "run", "x.ipynb", "--parm", "a=1"])


@pytest.mark.parametrize("page", RUN_PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_marked_commands_exit_and_answer_as_the_page_says(page: Path, project: Path) -> None:
    shutil.copyfile(ROOT / "notebooks" / "penguins.ipynb", project / "notebooks" / "penguins.ipynb")
    for block in CONSOLE:
        if block.page == page and block.run is not None:
            done = [run_command(words, project) for words in block.commands()]
            printed = "\n".join(d.stdout + d.stderr for d in done)
            assert [d.returncode for d in done] == [block.run] * len(done), f"{block}\n{printed}"
            missing = [line for line in block.outputs() if not is_printed(line, printed)]
            assert missing == [], f"{block}\n{printed}"


def run_command(words: list[str], project: Path) -> subprocess.CompletedProcess[str]:
    assert words[0] == "p2p"
    environment = {**os.environ, "COLUMNS": "200", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=project, env=environment, capture_output=True, text=True, check=False,
        timeout=LONGEST,
    )  # fmt: skip


def is_printed(line: str, printed: str) -> bool:
    """Whether the output has this line; an ellipsis in the line stands for anything, and widths do not count."""
    parts = [r"\s+".join(map(re.escape, part.split())) for part in line.split("…")]
    return re.search(r"[^\n]*".join(f"\\s*{part}\\s*" if part else "" for part in parts), printed) is not None


@pytest.mark.parametrize("block", RUN_PYTHON, ids=str)
def test_marked_python_examples_run(block: Block, project: Path) -> None:
    script = project / "example.py"
    script.write_text(block.text, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(script)], cwd=project, env=environment, capture_output=True, text=True, check=False,
        timeout=LONGEST,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_marks_are_found() -> None:
    """A mark that is written differently would silently run nothing."""
    marks = sum(len(re.findall(r"<!-- *run", page.read_text(encoding="utf-8"))) for page in PAGES)
    assert marks == len([b for b in BLOCKS if b.run is not None]) >= 8


def test_every_search_filter_in_the_reference_is_one_that_mlflow_reads() -> None:
    from mlflow.utils.search_utils import SearchUtils

    rows = section(REFERENCE / "metrics-and-tags.md", "Search").splitlines()
    cells = [row.split("|")[2].strip() for row in rows if row.count("|") == 3][2:]
    filters = [match[2].strip() for cell in cells if (match := re.fullmatch(r"(`+)(.*)\1", cell))]
    assert len(filters) >= 6
    for text in filters:
        assert SearchUtils.parse_search_filter(text), text  # type: ignore[no-untyped-call]  # it has no types
