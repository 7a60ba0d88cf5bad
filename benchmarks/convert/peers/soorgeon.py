"""soorgeon: a task for each H2 section, in a pipeline of ploomber."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.convert.digests import Digests, last_words, left
from benchmarks.convert.peers.peer import Peer


class Soorgeon(Peer):
    """`soorgeon refactor`, and `ploomber build` of the pipeline that it wrote.

    Each task leaves the digests of all its values. A value counts as the last task has it in which its name occurs.
    """

    packages = ("soorgeon", "ploomber")

    def values(self, notebook: Path, digests: Path) -> Digests:
        folder = notebook.parent
        self.run(folder, "refused", "soorgeon", "refactor", notebook.name, "--file-format", "ipynb")
        tasks = self._tasks(folder)
        for number, task in enumerate(tasks):
            document = json.loads(task.read_text(encoding="utf-8"))
            document["cells"].append(_cell(last_words(digests.with_name(f"task-{number}.json"))))
            task.write_text(json.dumps(document), encoding="utf-8")
        self.run(folder, "fails", "ploomber", "build")
        values: Digests = {}
        for number in range(len(tasks)):
            values.update(left(digests.with_name(f"task-{number}.json"))[0])
        return {name: d for name, d in values.items() if name not in ("upstream", "product")}

    def _tasks(self, folder: Path) -> list[Path]:
        lines = (folder / "pipeline.yaml").read_text(encoding="utf-8").splitlines()
        return [folder / line.split("source:", 1)[1].strip() for line in lines if "- source:" in line]


def _cell(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": None, "id": "digests", "metadata": {}, "outputs": [],
            "source": source}  # fmt: skip
