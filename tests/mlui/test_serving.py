"""How MLflow's server is called, and where none has to be."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from p2p.errors import InputRefused
from p2p.mlui import command, environment, free_port, served_elsewhere
from p2p.settings import Settings


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("sqlite:///mlflow.db", None), ("postgresql://me:secret@there/runs", None),
        ("http://there:5000", "http://there:5000"), ("HTTPS://me:secret@there/mlflow/?token=secret", "https://there/mlflow"),
    ],
)  # fmt: skip
def test_a_tracking_server_is_its_own_ui_told_without_secrets(uri: str, address: str | None) -> None:
    assert served_elsewhere(Settings(Path(), uri)) == address


def test_a_store_of_databricks_is_not_served_here() -> None:
    with pytest.raises(InputRefused, match="shown by Databricks"):
        served_elsewhere(Settings(Path(), "databricks://profile"))


def test_no_password_stands_on_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_STATIC_PREFIX", "/elsewhere")
    settings = Settings(Path("/project"), "postgresql://me:secret@there/runs")
    assert "secret" not in " ".join(command(settings, 5000))
    assert command(settings, 5000)[-4:] == ["--host", "127.0.0.1", "--port", "5000"]
    assert environment(settings)["MLFLOW_BACKEND_STORE_URI"] == settings.tracking_uri
    assert "MLFLOW_STATIC_PREFIX" not in environment(settings)


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(InputRefused, match=rf"port {taken}: Address already in use\. Name another port"):
            free_port(taken)
    assert free_port(taken) == taken
    assert free_port() > 0
    with pytest.raises(InputRefused, match="port 99999999"):
        free_port(99999999)
