"""papermill's engine `p2p` (entry point `papermill.engine`): a kernel that writes to a run.

`p2p run` passes the open run in. Called by plain `papermill --engine p2p`, it opens a run of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from papermill.engines import Engine

from p2p.kernels.provisioner import Kernels
from p2p.notebook.careful import CarefulClient
from p2p.notebook.early import ARGUMENTS, EarlyKernel
from p2p.notebook.kernelplan import KernelPlan
from p2p.notebook.lastwords import LastWords
from p2p.notebook.manager import TruthfulManager, code_of


class P2PEngine(Engine):  # type: ignore[misc]  # papermill has no types
    """Runs a notebook in a kernel that has p2p loaded and is attached to the plan's run."""

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, output_path: str | None = None, **options: Any) -> Any:
        """Papermill's way in: `plan` is ours; without it, one is made for a run of its own."""
        plan = options.pop("plan", None)
        if plan is None:
            from p2p.notebook.standalone import execute_standalone

            return execute_standalone(cls, nb, kernel_name, output_path, options)
        return cls.execute_planned(nb, kernel_name, plan, options)

    @classmethod
    def execute_planned(cls, nb: Any, kernel_name: str, plan: KernelPlan, options: dict[str, Any]) -> Any:
        """Run the notebook by its plan; the executed notebook is on disk whatever happens."""
        manager = TruthfulManager(
            nb, plan.path, plan.events, masker=plan.masker, output_limit=plan.output_limit,
            log_output=bool(options.get("log_output")), progress_bar=options.get("progress_bar", False),
        )  # fmt: skip
        plan.managers.append(manager)
        manager.notebook_start()
        try:
            cls.execute_managed_notebook(
                manager,
                kernel_name,
                environment=plan.environment,
                directory=plan.directory,
                kernels=plan.kernels,
                early=plan.early,
                **options,
            )
        finally:
            manager.cleanup_pbar()
            manager.notebook_complete()
        return manager.nb

    @classmethod
    def execute_managed_notebook(  # the arguments that papermill passes
        cls,
        nb_man: TruthfulManager,
        kernel_name: str,
        *,
        environment: dict[str, str],
        directory: Path,
        kernels: Kernels | None = None,
        early: EarlyKernel | None = None,
        log_output: bool = False,
        stdout_file: Any = None,
        stderr_file: Any = None,
        start_timeout: int = 60,
        execution_timeout: int | None = None,
        **_ignored: Any,
    ) -> None:
        """Start the kernel, where it was not started before, and run the cells."""
        client = CarefulClient(
            nb_man, kernel_name=kernel_name, timeout=execution_timeout, startup_timeout=start_timeout,
            log_output=log_output, stdout_file=stdout_file, stderr_file=stderr_file, kernels=kernels,
            early=early, cells=code_of(nb_man.nb.cells), extra_arguments=[*ARGUMENTS],
        )  # fmt: skip
        with early.said if early is not None else LastWords(nb_man.masker) as said:
            client.execute(env=environment, cwd=str(directory), stdout=said.end, stderr=said.end)
