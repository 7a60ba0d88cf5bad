from __future__ import annotations

import subprocess
import sys

import pytest

import p2p

HEAVY = {"mlflow", "papermill", "pandas", "numpy", "IPython", "pyarrow", "nbformat", "matplotlib", "nbclient"} | {
    "apprise", "cronsim", "prometheus_client",
}  # fmt: skip
SHOW = "; import sys; sys.stderr.write('LOADED ' + ' '.join(m for m in sys.modules if '.' not in m))"


def loaded_by(code: str, *arguments: str) -> set[str]:
    """The packages that a fresh interpreter has loaded after `code`."""
    done = subprocess.run([sys.executable, "-c", code + SHOW, *arguments], capture_output=True, text=True, timeout=120)
    assert "LOADED " in done.stderr, done.stderr
    return set(done.stderr.rpartition("LOADED ")[2].split())


def test_the_public_names_are_these() -> None:
    assert p2p.__all__ == [
        "Pipeline",
        "Policy",
        "Task",
        "__version__",
        "idempotency_key",
        "panel",
        "run",
        "runs",
        "step",
    ]
    assert all(hasattr(p2p, name) for name in p2p.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'stepp'"):
        p2p.stepp  # noqa: B018


def test_importing_p2p_loads_nothing_heavy() -> None:
    assert loaded_by("import p2p; p2p.step(len)") & HEAVY == set()


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_asking_the_command_for_help_loads_nothing_heavy(argument: str) -> None:
    code = "import sys\ntry:\n    from p2p.cli import command; command()\nexcept SystemExit: pass\nNone"
    assert loaded_by(code, argument) & HEAVY == set()


def test_the_extension_loads_nothing_heavy_into_the_kernel_but_what_is_there() -> None:
    assert loaded_by("import p2p.magics, p2p.magics.extension") & (HEAVY - {"IPython"}) == set()
