"""How a driver tells its kernel which run to write to: one environment variable of our own."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from p2p.errors import InputRefused
from p2p.files import write_atomic
from p2p.secrets import Masker, environment_secrets

ATTACH = "P2P_ATTACH"
SECRETS = "P2P_SECRETS"
LONGEST_VARIABLE = 30_000  # Windows takes 32,767 characters, Linux 131,072 bytes


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A run that another process drives.

    Attributes:
        directory: the run's directory, where its journal is.
        run_id, experiment, tracking_uri: where the user's own MLflow calls go; the journal tells the ids later, where
            they are empty.
        root: the project.
        lease: the run's lease; while it lies there, the run may be written to.
        notebook: path of the notebook, for its parameters.
        resumes: directory of the run that this one resumes.
        first_run: key of the first of the runs that resume each other.
        cache: results of equal steps of other runs may be used, and kept for them.
        turns: other runs go on at the same time, and equal steps of theirs are waited for.
        given: parameters given from outside, as the literals that stand in the injected cell.
        convert: some of them have types that a literal cannot have (dates, paths, secrets).
    """

    directory: str
    run_id: str
    experiment: str
    tracking_uri: str
    root: str
    lease: str
    notebook: str
    resumes: str = ""
    first_run: str = ""
    cache: bool = True
    turns: bool = False
    given: Mapping[str, Any] = field(default_factory=dict)
    convert: bool = False

    def environment(self, secrets: Mapping[str, str], masked: Collection[str] = ()) -> dict[str, str]:
        """The variables to start the kernel with. Secrets go this way so that they are never written down.

        Args:
            secrets: the text of each secret parameter that was given, by name.
            masked: every text to mask in what the kernel writes, those of defaults too.
        """
        variables = {ATTACH: self._told(), "P2P_RUN": self.run_id or Path(self.directory).name}
        if not secrets and not masked:
            return variables
        return {**variables, SECRETS: _handed_on(secrets, masked)}

    def _told(self) -> str:
        """This attachment as JSON, or `@` and the file where that lies: a variable holds no long parameters."""
        text = json.dumps(asdict(self))
        if len(text) <= LONGEST_VARIABLE:
            return text
        path = Path(self.directory) / "attachment.json"
        write_atomic(path, text)
        return f"@{path}"


def check_secrets(secrets: Mapping[str, str], masked: Collection[str]) -> None:
    """Refuse secrets that no environment could hold."""
    size = len(_handed_on(secrets, masked))
    if size > LONGEST_VARIABLE:
        raise InputRefused(
            f"The secret parameters are {size:,} characters long together; {LONGEST_VARIABLE:,} can be handed on.",
            cure="Hand on the path of a file that holds them.",
        )


def _handed_on(secrets: Mapping[str, str], masked: Collection[str]) -> str:
    return json.dumps({"given": dict(secrets), "masked": sorted(masked)})


def take_attachment() -> tuple[Attachment, dict[str, str], Masker] | None:
    """The run that this process was started for, the secrets it was given and the mask of all that it knows of.

    The first two are removed from the environment.
    """
    text = os.environ.pop(ATTACH, None)
    if text is None:
        return None
    if text.startswith("@"):
        text = Path(text[1:]).read_text(encoding="utf-8")
    secrets = json.loads(os.environ.pop(SECRETS, "{}"))
    masker = Masker([*secrets.get("masked", ()), *environment_secrets(os.environ)])
    return Attachment(**json.loads(text)), secrets.get("given", {}), masker
