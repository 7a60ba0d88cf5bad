"""A kernel that is started before papermill is imported: the one takes about as long as the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jupyter_core.utils import run_sync

from p2p.kernels.provisioner import PromptManager, manager_of
from p2p.notebook.lastwords import LastWords
from p2p.secrets import Masker

# p2p is an extension, so that it is there before the first cell.
ARGUMENTS: Final = ("--InteractiveShellApp.extensions=p2p", "--IPKernelApp.log_level=CRITICAL")
_HISTORY: Final = "--HistoryManager.hist_file=:memory:"  # nbclient adds it for the kernels that it knows


@dataclass
class EarlyKernel:
    """A kernel that was started, for a client to come.

    Attributes:
        manager: the kernel's.
        said: what its process says past Jupyter.
        taken: a client has it, and ends it.
    """

    manager: PromptManager
    said: LastWords
    taken: bool = False

    def take(self) -> PromptManager:
        """The manager, for whoever ends the kernel from now on."""
        self.taken = True
        return self.manager


@contextmanager
def early_kernel(
    kernel_name: str, environment: Mapping[str, str], directory: Path, masker: Masker
) -> Iterator[EarlyKernel]:
    """The kernel; one that nobody has taken when the block ends is killed.

    Args:
        kernel_name: its kernelspec's.
        environment: all of it.
        directory: where it works.
        masker: takes secrets out of its last words.
    """
    kernel = EarlyKernel(manager_of(kernel_name, None, ()), LastWords(masker))
    try:
        arguments = [*ARGUMENTS, *([_HISTORY] if kernel.manager.ipykernel else [])]
        run_sync(kernel.manager.start_early)(
            extra_arguments=arguments, env=dict(environment), cwd=str(directory), stdout=kernel.said.end,
            stderr=kernel.said.end,
        )  # fmt: skip
        yield kernel
    finally:
        if not kernel.taken:
            with kernel.said:
                if kernel.manager.has_kernel:
                    run_sync(kernel.manager.shutdown_kernel)(now=True)
