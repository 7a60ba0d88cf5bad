"""A notebook's file after marking: what was there is there, byte for byte, whoever wrote it and in whatever style."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from p2p.adoption.editing import marked

CELLS = [
    {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# Größe \"x\" \\ \u2028 {[,]}\n", "text"]},
    {"cell_type": "code", "execution_count": 3, "id": "b", "metadata": {}, "source": ["n = 1\n", "m = '}]'"],
     "outputs": [{"name": "stdout", "output_type": "stream", "text": ["{\"a\": [1, 2]}\n"]}]},
    {"cell_type": "code", "execution_count": None, "id": "c", "metadata": {"tags": ["x"], "name": "ü"},
     "source": "df = load(n)  # 'größer'\ndf", "outputs": []},
    {"cell_type": "code", "execution_count": None, "id": "d", "metadata": {"tags": [], "a": {}}, "outputs": [],
     "source": ["y = 1e400"]},
]  # fmt: skip
DOCUMENT: dict[str, Any] = {
    "cells": CELLS, "metadata": {"big": 10**30, "small": -1.5e-9, "no": None, "yes": True},
    "nbformat": 4, "nbformat_minor": 5,
}  # fmt: skip
STYLES: dict[str, Callable[[Any], str]] = {
    "jupyter": lambda d: json.dumps(d, indent=1, ensure_ascii=False, sort_keys=True) + "\n",
    "four spaces": lambda d: json.dumps(d, indent=4) + "\n\n",
    "tabs": lambda d: json.dumps(d, indent="\t", ensure_ascii=False),
    "one line": lambda d: json.dumps(d, separators=(",", ":")),
    "spaces in one line": lambda d: json.dumps(d, separators=(" , ", " : ")),
    "windows": lambda d: json.dumps(d, indent=2).replace("\n", "\r\n"),
}


def is_within(old: str, new: str) -> bool:
    """Whether the old text is left when something is taken out of the new one."""
    rest = iter(new)
    return all(character in rest for character in old)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("parameters", [None, 1, 2, 3])
def test_only_marks_are_put_in(style: str, parameters: int | None) -> None:
    text = STYLES[style](DOCUMENT)
    tags = {} if parameters is None else {parameters: "parameters"}
    made = marked(text, {2: "%%step load", 3: "%%step größe"}, tags, "%load_ext p2p")
    assert is_within(text, made)
    cells = json.loads(made)["cells"]
    assert [c["id"] for c in cells] == ["a", "load-p2p", "b", "c", "d"]
    assert "".join(cells[3]["source"]).startswith("%%step load\ndf = load(n)")
    assert cells[4]["source"] == ["%%step größe\n", "y = 1e400"]
    tagged = [index for index, cell in enumerate(cells) if "parameters" in cell["metadata"].get("tags", ())]
    assert tagged == ([] if parameters is None else [parameters + 1])


def test_jupyters_own_style_is_kept_so_that_saving_it_again_changes_nothing() -> None:
    text = STYLES["jupyter"](DOCUMENT)
    made = marked(text, {2: "%%step load"}, {1: "parameters"}, "%load_ext p2p")
    assert made == STYLES["jupyter"](json.loads(made))


def test_a_notebook_of_before_there_were_ids_gets_none() -> None:
    cells = [{"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": ["a = 1"]}]
    old = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    made = json.loads(marked(json.dumps(old), {0: "%%step a_step"}, {}, "%load_ext p2p"))
    assert "id" not in made["cells"][0]


def test_an_id_that_is_taken_is_not_given_again() -> None:
    cells = [{**CELLS[1], "id": "load-p2p"}]
    made = json.loads(marked(json.dumps({**DOCUMENT, "cells": cells}), {}, {}, "%load_ext p2p"))
    assert [cell["id"] for cell in made["cells"]] == ["load-p2p-1", "load-p2p"]
