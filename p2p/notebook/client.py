"""nbclient's client, with kernels that are gone when their run is stopped: they themselves, and what they started."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from jupyter_core.utils import run_sync
from nbclient.exceptions import CellExecutionError
from papermill.clientwrap import PapermillNotebookClient

from p2p.kernels.provisioner import Kernels, PromptManager, manager_of
from p2p.notebook.early import EarlyKernel
from p2p.tracking.processes import Descendants


class KernelClient(PapermillNotebookClient):  # type: ignore[misc]  # papermill has no types
    """Runs the cells; a kernel that is stopped in the middle is killed, with all its children.

    Args:
        manager: papermill's record of the notebook that runs.
        kernels: forks the kernel, where there is one.
        cells: the text of the notebook's code cells.
        early: the kernel, where it was started already.
    """

    def __init__(
        self, manager: Any, *, kernels: Kernels | None = None, cells: Sequence[str] = (),
        early: EarlyKernel | None = None, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(manager, **options)
        self._kernels = kernels
        self._cells = cells
        self._early = early

    def create_kernel_manager(self) -> PromptManager:
        """The manager of the kernel, which is started by nbclient if it was not before."""
        early = self._early
        self.km = early.take() if early is not None else manager_of(self.kernel_name, self._kernels, self._cells)
        return self.km

    async def async_start_new_kernel_client(self) -> Any:
        """Speak to the kernel, as soon as there is one to be spoken to."""
        await self.km.ready_to_hear()
        return await super().async_start_new_kernel_client()

    start_new_kernel_client = run_sync(async_start_new_kernel_client)  # the one that papermill calls

    def _cleanup_kernel(self) -> None:
        """Stop the kernel; at once when something other than a cell's own error ends the run."""
        if not self.was_stopped():
            super()._cleanup_kernel()
            return
        started = Descendants.of(self._kernel_pid())
        self.shutdown_kernel = "immediate"
        try:
            super()._cleanup_kernel()
        finally:
            started.kill()

    def was_stopped(self) -> bool:
        """Whether an exception is passing through that no cell has raised: Ctrl-C, a timeout, a dead kernel."""
        error = sys.exc_info()[1]
        return error is not None and not isinstance(error, CellExecutionError)

    def _kernel_pid(self) -> int | None:
        pid = getattr(getattr(self.km, "provisioner", None), "pid", None)
        return int(pid) if pid else None
