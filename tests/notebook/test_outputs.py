"""What a notebook keeps of what its kernel sends."""

from __future__ import annotations

import time
from typing import Any

from p2p.notebook.outputs import OutputGate, StreamJoiner, masked_notebook
from p2p.secrets import MASK, Masker


def message(kind: str, **content: Any) -> dict[str, Any]:
    return {"msg_type": kind, "header": {"msg_type": kind}, "parent_header": {}, "content": content}


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    return message("stream", name=name, text=text)


def display(text: str, kind: str = "display_data") -> dict[str, Any]:
    return message(kind, data={"text/plain": text}, metadata={})


def kept(gate: OutputGate, *messages: dict[str, Any], cell: int = 0) -> list[dict[str, Any]]:
    return [admitted for one in messages for admitted in gate.admit(one, cell)]


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return [m["content"].get("text") or m["content"]["data"]["text/plain"] for m in messages]


def test_output_within_the_limit_is_kept_as_it_is() -> None:
    sent = [stream("a"), display("b"), message("status", execution_state="idle")]
    assert kept(OutputGate(Masker(), 1000), *sent) == sent


def test_what_goes_over_the_limit_is_cut_and_said_once() -> None:
    found = texts(kept(OutputGate(Masker(), 1000), stream("a" * 600), stream("b" * 600), stream("c"), display("d")))
    assert found[:2] == ["a" * 600, "b" * 400]
    assert len(found) == 3
    assert "A cell keeps 1 KB" in found[2]
    assert "P2P_OUTPUT_LIMIT" in found[2]


def test_many_small_displays_are_output_too() -> None:
    found = kept(OutputGate(Masker(), 10_000), *[display("x") for _ in range(1000)])
    assert len(found) < 60


def test_lines_weigh_what_they_cost_in_a_file() -> None:
    """A hundred million line breaks would be as many texts in memory, and more than a gigabyte in the notebook."""
    cut, note = kept(OutputGate(Masker(), 1_000), stream("\n" * 10_000))
    assert 30 < len(cut["content"]["text"]) <= 1_000 // 16
    assert "cut here" in note["content"]["text"]


def test_an_update_takes_the_place_of_what_it_updates() -> None:
    found = kept(OutputGate(Masker(), 1000), *[display("x" * 500, "update_display_data") for _ in range(9)])
    assert len(found) == 9


def test_a_notebook_keeps_no_more_than_ten_cells_worth() -> None:
    gate = OutputGate(Masker(), 1000)
    found = [texts(kept(gate, stream("a" * 1000), cell=cell)) for cell in range(12)]
    assert [len(part) for part in found] == [1] * 12
    assert "a notebook 10 times that" in found[10][0]


def test_cleared_output_makes_room_again() -> None:
    gate = OutputGate(Masker(), 1000)
    kept(gate, stream("a" * 2000))
    gate.cleared(0)
    assert texts(kept(gate, stream("b" * 900))) == ["b" * 900]


def test_an_error_is_kept_whatever_came_before_it_and_cut_itself() -> None:
    gate = OutputGate(Masker(["swordfish"]), 100)
    error = message("error", ename="E", evalue="swordfish" + "x" * 10**6, traceback=["y" * 10**6, "swordfish"])
    content = kept(gate, stream("a" * 200), error)[-1]["content"]
    assert content["evalue"].startswith(f"{MASK}xxx")
    assert content["evalue"].endswith("characters, cut here]")
    assert len(content["traceback"][0]) < 21_000
    assert content["traceback"][1] == MASK


def test_secrets_are_masked_in_streams_and_in_every_form_of_a_display() -> None:
    gate = OutputGate(Masker(["swordfish"]), 1000)
    rich = message("execute_result", data={"text/html": "<b>swordfish</b>", "application/json": {"a": ["swordfish"]}},
                   metadata={"note": "swordfish"}, execution_count=1)  # fmt: skip
    found = kept(gate, stream("a swordfish"), rich)
    assert "swordfish" not in str(found)
    assert found[1]["content"]["data"]["application/json"] == {"a": [MASK]}


def test_a_secret_at_the_cut_is_not_kept_by_half() -> None:
    found = texts(kept(OutputGate(Masker(["swordfish"]), 10), stream("12345swordfish")))
    assert found[0] == "12345*****"


def joined(pieces: list[str], masker: Masker | None = None) -> list[dict[str, Any]]:
    joiner = StreamJoiner(masker or Masker())
    outputs: list[Any] = []
    for piece in pieces:
        if not joiner.joins(outputs, stream(piece)):
            outputs.append({"output_type": "stream", "name": "stdout", "text": piece})
    joiner.settle()
    return outputs


def test_pieces_of_a_stream_are_joined_and_a_secret_in_two_pieces_is_masked() -> None:
    assert [o["text"] for o in joined(["a ", "sword", "fish b"], Masker(["swordfish"]))] == [f"a {MASK} b"]


def test_a_stream_ends_where_another_output_comes_between() -> None:
    joiner = StreamJoiner(Masker())
    outputs: list[Any] = [{"output_type": "stream", "name": "stdout", "text": "a"}]
    assert joiner.joins(outputs, stream("b"))
    assert not joiner.joins(outputs, stream("c", "stderr"))
    outputs.append({"output_type": "stream", "name": "stderr", "text": "c"})
    assert not joiner.joins(outputs, stream("d"))
    assert not joiner.joins(outputs, display("e"))
    outputs.append({"output_type": "stream", "name": "stdout", "text": "d"})
    assert joiner.joins(outputs, stream("e"))
    joiner.settle()
    assert [o["text"] for o in outputs] == ["ab", "c", "de"]


def test_joining_costs_each_piece_its_own_length() -> None:
    began = time.monotonic()
    [output] = joined(["ab\n"] * 300_000)
    assert len(output["text"]) == 900_000
    assert time.monotonic() - began < 5  # joined by adding texts, it is minutes


def test_a_password_that_is_a_common_word_leaves_a_notebook_a_notebook() -> None:
    words = ["code", "stdout", "stream", "python3", "python", "cell-1"]
    output = {"output_type": "stream", "name": "stdout", "text": "code"}
    cell = {
        "cell_type": "code",
        "id": "cell-1",
        "metadata": {"id": "code"},
        "source": "'code'",
        "outputs": [output],
    }
    prose = {"cell_type": "markdown", "id": "b", "metadata": {}, "source": "python3"}
    metadata = {"kernelspec": {"name": "python3"}, "language_info": {"name": "python"}, "of": "stdout"}
    masked = masked_notebook({"nbformat": 4, "metadata": metadata, "cells": [cell, prose]}, Masker(words))
    assert masked == {
        "nbformat": 4, "metadata": {**metadata, "of": MASK},
        "cells": [
            {**cell, "metadata": {"id": MASK}, "source": f"'{MASK}'", "outputs": [{**output, "text": MASK}]},
            {**prose, "source": MASK},
        ],
    }  # fmt: skip
    [admitted] = kept(OutputGate(Masker(words), 1000), stream("code"))
    assert admitted["content"] == {"name": "stdout", "text": MASK}
