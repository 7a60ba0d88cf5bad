"""One JupyterLab and one browser for the tests of this folder; a project with notebooks in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest

from p2p.settings import Settings
from tests.browser.lab import CHROMIUM, DRIVER, Page, browser, jupyterlab

REPOSITORY = Path(__file__).resolve().parents[2]
HOSTILE = "<img src=x onerror=alert(1)>"
SEED = "6640"  # what Dask sets for the process that starts a cluster: no proof may share it


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser, say why; `make browser` installs it."""
    if CHROMIUM is None or DRIVER is None:
        for item in items:
            if Path(item.path).parent == Path(__file__).parent:
                item.add_marker(pytest.mark.skip(reason="no chromium and chromedriver here: see `make browser`"))


def write(path: Path, *sources: str, parameters: int = -1) -> None:
    """A notebook of these code cells."""
    v4 = nbformat.v4
    cells = [
        v4.new_code_cell(s, metadata={"tags": ["parameters"]} if n == parameters else {}) for n, s in enumerate(sources)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Settings]) -> Settings:
    """A project with the flight notebook, a panel below its first cell, and small ones named for what they show."""
    settings = make_project(tmp_path_factory.mktemp("lab") / "project")
    shutil.copyfile(REPOSITORY / "requirements.lock", settings.root / "requirements.lock")
    folder = settings.root / "notebooks"
    flights = nbformat.read(REPOSITORY / "notebooks" / "flight_delays.ipynb", 4)
    first = next(n for n, cell in enumerate(flights.cells) if cell.cell_type == "code")
    flights.cells.insert(first + 1, nbformat.v4.new_code_cell("import p2p\n\np2p.panel()"))
    nbformat.write(flights, folder / "flight_delays.ipynb")
    write(
        folder / "set_order.ipynb", "%load_ext p2p\nimport p2p", "p2p.panel()",
        '%%step pick\nwords = list({"ape", "bee", "cat", "dog", "eel", "fox", "gnu", "hen", "ibis", "jay", "kea"})',
    )  # fmt: skip
    write(
        folder / "looping.ipynb", "%load_ext p2p\nimport p2p", "p2p.panel()",
        "%%step loop\nimport time\nfrom tqdm.auto import tqdm\n"
        f"made = [time.sleep(0.25) for _ in tqdm(range(8), desc='{HOSTILE}')]",
    )  # fmt: skip
    write(
        folder / "long_past.ipynb",
        "%load_ext p2p\nimport p2p\nfrom p2p.widgets import past\n\npast._SOON = 0.0  # as if it took long",
        "p2p.panel()", "%%step one\nx = 1",
    )  # fmt: skip
    write(
        folder / "hostile.ipynb", "%load_ext p2p\nimport p2p\np2p.panel()",
        f'note: str = "{HOSTILE}"  # </style><script>alert(2)</script>',
        f"%%step bad\nvalue = '{HOSTILE} javascript:alert(3)'",
        f"%%step worse\nraise ValueError('{HOSTILE} </style><script>alert(4)</script>')", parameters=1,
    )  # fmt: skip
    return settings


@pytest.fixture(scope="session")
def lab(project: Settings) -> Iterator[str]:
    """The address of JupyterLab on that project."""
    environment = {
        "P2P_ROOT": str(project.root), "MLFLOW_TRACKING_URI": project.tracking_uri, "PYTHONPATH": str(REPOSITORY),
        "UV_OFFLINE": "1", "PYTHONHASHSEED": SEED,
    }  # fmt: skip
    with jupyterlab(project.root, **environment) as url:
        yield url


@pytest.fixture(scope="session")
def page() -> Iterator[Page]:
    """A page in a browser."""
    with browser() as driver:
        yield Page(driver)
