"""Which imports may be run ahead is told from the text of the cells: nothing that the notebook might not import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from p2p.kernels.ahead import imports_ahead


def test_installed_libraries_at_the_top_level_are_imported_as_the_cells_do(tmp_path: Path) -> None:
    cells = [
        "import numpy as np, yaml.nodes\nimport os",
        "%%step load\nfrom sklearn.linear_model import LinearRegression, Ridge as R\nrows = [1]",
        "from scipy import *\nfrom p2p import step\nimport numpy",
    ]
    assert imports_ahead(cells, tmp_path) == (
        "import numpy", "import yaml.nodes", "from sklearn.linear_model import LinearRegression, Ridge", "import scipy",
    )  # fmt: skip


def test_what_stores_a_librarys_values_comes_with_it(tmp_path: Path) -> None:
    assert imports_ahead(["import pandas as pd"], tmp_path) == ("import pandas", "import pyarrow.parquet")


def test_modules_of_the_author_are_left_alone_also_where_they_hide_a_library(tmp_path: Path) -> None:
    (tmp_path / "yaml.py").touch()
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "scipy.py").touch()
    cells = ["import sys\nsys.path.insert(0, 'lib')", "import yaml, mine, scipy"]
    assert imports_ahead(cells, tmp_path) == ()
    assert imports_ahead(["import yaml, mine, numpy"], tmp_path) == ("import numpy",)


def test_what_a_library_does_at_its_first_use_is_done_ahead_where_the_use_is_likely(tmp_path: Path) -> None:
    both = imports_ahead(["import pandas\nfrom sklearn.linear_model import Ridge"], tmp_path)
    assert both[:3] == ("import pandas", "from sklearn.linear_model import Ridge", "import pyarrow.parquet")
    (last,) = both[3:]
    assert last.startswith("import narwhals")
    loaded = "import sys, pandas, sklearn.linear_model; before = {*sys.modules}"
    shown = "print({name.split('.')[0] for name in {*sys.modules} - before})"
    told = subprocess.run(
        [sys.executable, "-c", f"{loaded}; {last}; {shown}"], capture_output=True, text=True, check=True
    )
    assert told.stdout == "{'narwhals'}\n"
    assert imports_ahead(["from sklearn.linear_model import Ridge"], tmp_path) == both[1:2]


def test_imports_that_may_never_run_are_not_run_ahead(tmp_path: Path) -> None:
    cells = [
        "if fast:\n    import numpy",
        "try:\n    import yaml\nexcept ImportError:\n    pass",
        "def f():\n    import scipy",
    ]
    assert imports_ahead(cells, tmp_path) == ()


@pytest.mark.parametrize(
    "changing",
    [
        "import os\nos.environ['OMP_NUM_THREADS'] = '1'", "load_dotenv()", "%env A=1",
        "import os\nos.chdir('..')", "import sys\nsys.path.append('lib')", "!pip install x", "%pip install x",
        "%run other.py",
        "import warnings\nwarnings.simplefilter('error')", "def f():\n    os.environ.update(A='1')", "%load_ext other",
        "import multiprocessing as m\nm.set_start_method('fork')", "x = (",
    ],
)  # fmt: skip
def test_nothing_is_imported_before_what_could_change_its_import(tmp_path: Path, changing: str) -> None:
    assert imports_ahead(["import yaml", changing, "import numpy"], tmp_path) == ("import yaml",)


@pytest.mark.parametrize(
    "harmless",
    [
        "import warnings\nwarnings.filterwarnings('ignore')",
        "%load_ext p2p",
        "%matplotlib inline",
        "x = 1\nprint(x)",
        "",
    ],
)
def test_what_changes_no_import_does_not_stop_it(tmp_path: Path, harmless: str) -> None:
    assert imports_ahead([harmless, "import numpy"], tmp_path) == ("import numpy",)
