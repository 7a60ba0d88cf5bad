"""The client of a run's kernel: what comes in passes the gate, what goes to the log is made harmless."""

from __future__ import annotations

from typing import IO, Any

from nbclient.client import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_output

from p2p.notebook.client import KernelClient
from p2p.notebook.log import LineLog
from p2p.notebook.manager import TruthfulManager
from p2p.terminal import visible


class CarefulClient(KernelClient):
    """Runs the cells of a manager's notebook; keeps and logs what the manager's gate lets through.

    Args:
        manager: the record of the notebook that runs.
        stdout_file, stderr_file: streams for what the cells print.
    """

    def __init__(self, manager: TruthfulManager, *, stdout_file: IO[str] | None, stderr_file: IO[str] | None,
                 **options: Any) -> None:  # fmt: skip
        super().__init__(manager, on_cell_executed=self._after_cell, **options)
        streams = {"stdout": stdout_file, "stderr": stderr_file}
        self._logs = {name: LineLog(file, manager.masker) for name, file in streams.items() if file is not None}

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Keep what there is room for, and log it all."""
        self._log(msg)
        kept = None
        for admitted in self.nb_man.gate.admit(msg, cell_index):
            # papermill's own would log it again.
            kept = NotebookClient.process_message(self, admitted, cell, cell_index)
        if msg["msg_type"] == "clear_output" and not cell.outputs:
            self.nb_man.gate.cleared(cell_index)
        self.nb_man.autosave_cell()
        return kept

    def output(self, outs: list[Any], msg: dict[str, Any], display_id: str | None, cell_index: int) -> Any:
        """An output; a piece of a stream is joined to the one that it goes on with."""
        if self.clear_before_next_output:
            self.nb_man.gate.cleared(cell_index)
        elif not self.output_hook_stack[msg["parent_header"].get("msg_id")] and self.nb_man.joiner.joins(outs, msg):
            return None
        return super().output(outs, msg, display_id, cell_index)

    def _log(self, msg: dict[str, Any]) -> None:
        if msg["msg_type"] != "stream":
            return
        name, text = msg["content"]["name"], msg["content"]["text"]
        if name in self._logs:
            self._logs[name].write(text)
        if self.log_output:
            self.log.info(visible(self.nb_man.masker.text(text)))

    def _after_cell(self, cell: Any, execute_reply: dict[str, Any], **_more: Any) -> None:
        for log in self._logs.values():
            log.flush()
        if any(part.get("source") == "ask_exit" for part in execute_reply["content"].get("payload", ())):
            _fail_as_ended(cell)


def _fail_as_ended(cell: Any) -> None:
    """`quit()` leaves the kernel a moment in which the next cells may or may not run: neither is to be relied on."""
    what = "the cell ended the kernel with quit() or exit()"
    output = new_output("error", ename="SystemExit", evalue=what, traceback=[f"SystemExit: {what}"])  # type: ignore[no-untyped-call]  # it has no types
    cell.outputs.append(output)
    raise CellExecutionError(what, "SystemExit", what)
