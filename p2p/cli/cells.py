"""`p2p tag` and `p2p mark`: one cell of a notebook, without opening it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from p2p.cli.options import Json

NotebookFile = Annotated[Path, typer.Argument(help="The notebook.")]
CellNumber = Annotated[int, typer.Argument(metavar="CELL", help="The code cell's number, from 1.")]


def tag(
    notebook: NotebookFile,
    cell: CellNumber,
    tag: Annotated[str, typer.Argument(metavar="TAG", help="The tag, such as `parameters`.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take the tag away.")] = False,
    json: Json = False,
) -> None:
    """Add a tag to a cell; nothing else in the file changes."""
    from p2p.adoption import tag_cell
    from p2p.cli import show
    from p2p.cli.text import escape
    from p2p.notebook.document import read_notebook

    found = read_notebook(notebook)
    written = tag_cell(found, cell, tag, remove=remove)
    tags = list(read_notebook(notebook).cells[cell - 1].tags)
    if json:
        show.answer_json({"notebook": str(notebook), "cell": cell, "tags": tags, "written": written})
    else:
        as_before = "" if written else " (as before)"
        show.out.print(f"cell {cell} of {escape(str(notebook))}: {escape(', '.join(tags)) or 'no tags'}{as_before}")


def mark(
    notebook: NotebookFile,
    cell: CellNumber,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The step's name.")],
    json: Json = False,
) -> None:
    """Make a cell a step; nothing else in the file changes."""
    from p2p.adoption import mark_cell
    from p2p.cli import show
    from p2p.cli.text import escape
    from p2p.notebook.document import read_notebook

    mark_cell(read_notebook(notebook), cell, name)
    if json:
        show.answer_json({"notebook": str(notebook), "cell": cell, "name": name, "written": True})
    else:
        show.out.print(f"cell {cell} of {escape(str(notebook))} is the step {escape(name)}")
