"""Starting a kernel, forked or spawned, and hearing at once when it is ready and when it has ended.

jupyter_client asks each 0.1 s whether a kernel has ended, connects before there is anything to connect to (ZeroMQ then
tries again after 0.1 s), listens for 0.2 s that nothing more comes, and sleeps for 0.01 s after each start and end.
Here the kernel says that it is ready, and the system that it has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty
from typing import Any, Final, Protocol

import zmq
import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Instance, Type, default

from p2p.kernels.owner import ForkedProcess, NoFork
from p2p.kernels.warm import KernelRequest
from p2p.session.started import STARTED

_START: Final = 60.0  # seconds that a kernel may take until it is ready; its client then finds out what is wrong


class Kernels(Protocol):
    """Where kernels come from; WarmKernels is one."""

    def fork(self, request: KernelRequest) -> ForkedProcess:
        """The kernel; NoFork where it has to be started."""
        ...


class PromptProvisioner(LocalProvisioner):
    """Starts kernels on this machine.

    Attributes:
        kernels: forks them, where there is one.
        cells: the text of the notebook's code cells.
        early: whoever starts the kernel has something else to do until it is `ready`.
    """

    kernels: Kernels | None = None
    cells: Sequence[str] = ()
    forked: ForkedProcess | None = None
    early = False
    _ready: int | None = None  # the descriptor on which the kernel says that it is ready

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the kernel; it may be spoken to when this returns, or when it is `ready` where that is to be early."""
        # Another environment's kernel may have another p2p, which says nothing; Windows hands no descriptors on.
        if cmd[0] != sys.executable or sys.platform == "win32":
            return await super().launch_kernel(cmd, **kwargs)
        self._ready, writing = os.pipe()
        try:
            why = self._fork(cmd, kwargs, writing)
            if self.process is None:
                await self._spawn(cmd, kwargs, writing, {"warm": False, **({"why_cold": why} if why else {})})
        except BaseException:
            self._forget_ready()
            raise
        finally:
            os.close(writing)
        if not self.early:
            await self.ready()
        return {**self.connection_info, **self._own_address()}

    def _fork(self, cmd: list[str], kwargs: Mapping[str, Any], ready: int) -> str:
        """Why the kernel could not be forked; empty when it was, or was not to be."""
        if self.kernels is None:
            return ""
        directory = Path(kwargs.get("cwd") or Path.cwd())
        out, err = (_descriptor(kwargs.get(name), number) for name, number in (("stdout", 1), ("stderr", 2)))
        try:
            self.forked = self.kernels.fork(
                KernelRequest(
                    cmd, kwargs["env"], directory, self.cells, stdout=out, stderr=err, ready=ready,
                    any_address=self._may_choose(),
                )
            )  # fmt: skip
        except NoFork as reason:
            return str(reason)
        self.process = self.forked  # type: ignore[assignment]  # it has what LocalProvisioner uses of a Popen
        self.pid = self.pgid = self.forked.pid  # it becomes a group's leader first of all
        self.cwd = directory
        return ""

    async def ready(self) -> None:
        """Wait until the kernel may be spoken to, or has ended, or takes too long."""
        if self._ready is not None:
            try:
                await _readable(self._ready, _START)
            finally:
                self._forget_ready()

    def _forget_ready(self) -> None:
        if self._ready is not None:
            os.close(self._ready)
            self._ready = None

    async def cleanup(self, restart: bool = False) -> None:
        """Nobody waits for the kernel any more."""
        self._forget_ready()
        await super().cleanup(restart)

    def _own_address(self) -> dict[str, Any]:
        """Where the kernel is spoken to, if that is not where it was meant to be; the manager then takes it over."""
        connection = self.forked.connection if self.forked is not None else None
        return {**connection, "key": connection["key"].encode("ascii")} if connection is not None else {}

    def _may_choose(self) -> bool:
        """Whether the kernel may choose its address: nothing but the ports is special about the one that it has."""
        plain = {"transport": "tcp", "ip": "127.0.0.1", "signature_scheme": "hmac-sha256"}
        info: dict[str, Any] = {**self.connection_info}
        return all(info.get(name) == value for name, value in plain.items()) and not info.get("curve_publickey")

    async def _spawn(self, cmd: list[str], kwargs: Mapping[str, Any], ready: int, facts: Mapping[str, Any]) -> None:
        env = {**kwargs["env"], STARTED: json.dumps({**facts, "ready": ready})}
        await super().launch_kernel(cmd, **{**kwargs, "env": env, "pass_fds": (ready,)})

    async def wait(self) -> int | None:
        """The exit code, as soon as there is one."""
        if self.process is None:
            return 0
        await self.ended()
        return await super().wait()

    async def ended(self) -> None:
        """Wait until the process has ended."""
        if self.forked is not None:
            await asyncio.shield(asyncio.wrap_future(self.forked.exited))
        elif self.process is not None:
            await _has_ended(self.process)


class PromptClient(AsyncKernelClient):
    """A client of a kernel that is ready."""

    async def _async_wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait for the kernel's first answer; what else it says is told from answers by whose it is."""
        limit = time.monotonic() + (timeout if timeout is not None else float("inf"))
        while not await self._answers():
            if not await self.is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if time.monotonic() > limit:
                raise RuntimeError(f"Kernel didn't respond in {timeout} seconds")

    wait_for_ready = _async_wait_for_ready

    async def _answers(self) -> bool:
        """Whether it answers on the one channel and is heard on the other."""
        self.kernel_info()
        with contextlib.suppress(Empty):
            reply = await self.shell_channel.get_msg(timeout=1.0)
            while reply["msg_type"] != "kernel_info_reply":
                reply = await self.shell_channel.get_msg(timeout=1.0)
            await self.iopub_channel.get_msg(timeout=1.0)
            self._handle_kernel_info_reply(reply)
            return True
        return False


def _at_once(method: Any) -> Any:
    """A manager's method as jupyter_client has it within its `in_pending_state`, without the sleep after it."""
    own = inspect.unwrap(method)

    async def prompt(self: PromptManager, *args: Any, **options: Any) -> None:
        self._ready = asyncio.get_running_loop().create_future()
        try:
            await own(self, *args, **options)
        except Exception as error:
            self._ready.set_exception(error)
            self.log.exception(self._ready.exception())
            raise
        if self.owns_kernel:
            self._ready.set_result(None)

    return prompt


class PromptManager(AsyncKernelManager):
    """A manager of one kernel that does not ask again and again whether it has ended."""

    # One context for all runs: its threads are made once, and no run waits for their end.
    context = Instance(zmq.asyncio.Context, args=None)

    client_class = "p2p.kernels.provisioner.PromptClient"
    client_factory = Type(klass="p2p.kernels.provisioner.PromptClient")

    start_kernel = _async_start_kernel = _at_once(AsyncKernelManager.start_kernel)
    shutdown_kernel = _async_shutdown_kernel = _at_once(AsyncKernelManager.shutdown_kernel)

    async def start_early(self, **options: Any) -> None:
        """Start the kernel as `start_kernel` does, in an event loop that ends before the one in which it is used."""
        if isinstance(self.provisioner, PromptProvisioner):
            self.provisioner.early = True
        await self.start_kernel(**options)
        self._close_control_socket()  # it is of this loop, and has nothing to connect to

    async def ready_to_hear(self) -> None:
        """Wait until the kernel may be spoken to."""
        if isinstance(self.provisioner, PromptProvisioner):
            await self.provisioner.ready()
            self._connect_control_socket()

    @default("context")
    def _shared_context(self) -> zmq.asyncio.Context:
        return zmq.asyncio.Context.instance()

    def client(self, **options: Any) -> AsyncKernelClient:  # type: ignore[override]  # as AsyncKernelManager has it
        return super().client(context=self.context, **options)

    async def _async_wait(self, pollinterval: float = 0.1) -> None:
        if isinstance(self.provisioner, PromptProvisioner):
            await self.provisioner.ended()
        else:
            await super()._async_wait(pollinterval)


def manager_of(kernel_name: str, kernels: Kernels | None, cells: Sequence[str]) -> PromptManager:
    """A manager that starts kernels of this name; one whose kernelspec names a provisioner of its own uses that."""
    manager = PromptManager(kernel_name=kernel_name)
    spec = manager.kernel_spec
    own = (spec.metadata or {}).get("kernel_provisioner", {}).get("provisioner_name", "") if spec is not None else ""
    if own in ("", "local-provisioner"):
        provisioner = PromptProvisioner(parent=manager, kernel_spec=spec)
        provisioner.kernels, provisioner.cells = kernels, cells
        manager.provisioner = provisioner
    return manager


def _descriptor(given: Any, default: int) -> int:
    """The descriptor that a Popen would take for this stream."""
    if given is None:
        return default
    return given if isinstance(given, int) else int(given.fileno())


async def _readable(descriptor: int, seconds: float | None) -> None:
    """Wait until something can be read, or the other end is closed; not for longer than it may take."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ready.wait(), seconds)
    finally:
        loop.remove_reader(descriptor)


async def _has_ended(process: Any) -> None:
    """Wait until a child process has ended."""
    with contextlib.suppress(AttributeError, OSError):  # systems without it, or the process is gone
        descriptor = os.pidfd_open(process.pid)
        try:
            await _readable(descriptor, None)
        finally:
            os.close(descriptor)
    while process.poll() is None:
        await asyncio.sleep(0.02)
