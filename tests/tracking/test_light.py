"""What feeds MLflow loads neither pandas nor its like for it; whoever else asks for them gets them."""

from __future__ import annotations

import json
import subprocess
import sys

CODE = """
import json, sys
from p2p.tracking.light import LEFT_OUT, load_light
load_light()
from mlflow import MlflowClient
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.tracing.client import TracingClient
loaded = sorted(LEFT_OUT & sys.modules.keys())
import numpy
from importlib import import_module
import_module("scipy")
print(json.dumps([loaded, sorted(LEFT_OUT & sys.modules.keys())]))
"""


def test_mlflow_does_without_and_others_do_not() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [[], ["numpy", "scipy"]]


STAYS = """
import gc, json
from p2p.tracking.light import to_stay
try:
    with to_stay():
        meanwhile = gc.isenabled()
        raise ImportError
except ImportError:
    pass
print(json.dumps([meanwhile, gc.isenabled(), gc.get_freeze_count() > 1000]))
"""


def test_what_is_loaded_to_stay_is_not_looked_through_for_garbage() -> None:
    done = subprocess.run([sys.executable, "-c", STAYS], capture_output=True, text=True, check=False)
    assert json.loads(done.stdout) == [False, True, True], done.stderr
