from __future__ import annotations

from p2p.notebook.places import parse


def test_the_places_of_values_are_found() -> None:
    text = ' {"a" : [1, "]", {"b": null}], "c\\"": -0.5}'
    node = parse(text)
    assert [text[item.start : item.end] for item in node.members["a"].items] == ["1", '"]"', '{"b": null}']
    assert text[node.members['c"'].start : node.members['c"'].end] == "-0.5"
