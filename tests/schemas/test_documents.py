"""Documents are read strictly, and a refusal says where, what was got and what was wanted."""

import pytest

from piio_schemas.beacons import Beacon
from piio_schemas.commands import Set, SetError, read_set
from piio_schemas.documents import DEEPEST, LARGEST, DocumentError, as_model, decode, read_json
from piio_schemas.requests import PreviewRequest

BAD = [
    (b"", "not JSON"),
    (b"nonsense", "not JSON"),
    (b"{", "not JSON"),
    (b'{"a": 1,}', "not JSON"),
    (b'{"a": NaN}', "NaN"),
    (b'{"a": -Infinity}', "-Infinity"),
    (b'{"a": 1e999}', "too large"),
    (b'{"a": 1, "a": 2}', "'a' stands twice"),
    (b'"\xff"', "UTF-8"),
    (b'{"a": "\\ud800"}', "surrogate"),
    (b'{"\\uDFFF": 1}', "surrogate"),
    (b"[" * (DEEPEST + 1), "deeper"),
    (b"1" * 5000, "not JSON"),
    (b" " * (LARGEST + 1), "more than a message may have"),
]


@pytest.mark.parametrize(("payload", "said"), BAD)
def test_a_bad_document_is_refused_with_the_reason(payload: bytes, said: str) -> None:
    with pytest.raises(DocumentError, match=said):
        read_json(payload)


def test_a_whole_surrogate_pair_is_a_character() -> None:
    assert read_json(b'"\\ud83d\\ude00 \\\\ud800"') == "\N{GRINNING FACE} \\ud800"


def test_brackets_inside_text_do_not_count_as_nesting() -> None:
    assert read_json(b'"' + b"[" * 100 + b'\\""') == "[" * 100 + '"'


def test_many_brackets_beside_each_other_are_not_deep_and_the_deepest_of_them_counts() -> None:
    assert read_json(b"[" + b"[]," * 100 + b"{}]") == [[]] * 100 + [{}]
    with pytest.raises(DocumentError, match="deeper"):
        read_json(b"[" + b"[]," * 100 + b'{"a":' * DEEPEST + b"1" + b"}" * DEEPEST + b"]")


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        ({"value": 1, "ttl": 9}, "ttl", "got 9"),
        ({"value": 1, "ttl": "2"}, "ttl", "got `str`"),
        ({"value": 1, "colour": 1}, "colour", "unknown field"),
        ({}, "value", "got none"),
        ({"value": 1, "id": "x" * 100}, "id", '…'),
        ({"value": 1, "beacon": {"boot": "", "connection": 1, "tick": 1}}, "beacon.boot", 'got ""'),
    ],
)  # fmt: skip
def test_a_refusal_names_the_path_and_what_was_got(document: object, path: str, message: str) -> None:
    with pytest.raises(DocumentError) as refusal:
        as_model(document, Set)
    assert refusal.value.path == path
    assert message in refusal.value.message


def test_an_item_of_a_list_is_named_by_its_number() -> None:
    with pytest.raises(DocumentError) as refusal:
        as_model({"equation": "x", "x": [1, "a"]}, PreviewRequest)
    assert refusal.value.path == "x[1]"


def test_a_newer_beacon_may_say_more_than_we_know() -> None:
    assert decode(b'{"boot": "b", "connection": 1, "tick": 1.5, "period": 1, "mood": "good"}', Beacon).echo.tick == 1.5


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [(b"1", 1.0), (b" 0.5 ", 0.5), (b"ON", "on"), (b"off", "off"), (b"True", "on"), (b"false", "off"),
     (b"toggle", "toggle"), (b'{"value": 2}', 2.0), (b'{"value": true}', "on"), (b'{"value": "OFF"}', "off")],
)  # fmt: skip
def test_a_set_is_a_number_a_word_or_json(payload: bytes, wanted: object) -> None:
    assert read_set(payload).wanted == wanted


@pytest.mark.parametrize(
    "payload",
    [b"", b"open", b"nan", b"[1]", b'{"value": "open"}', b'{"value": null}', b'{"value": 1, "ttl": 0.5}', b"{1}",
     b'{"value": NaN}', b'{"value": 1, "value": 0}', b"\xff\xfe"],
)  # fmt: skip
def test_anything_else_is_no_set(payload: bytes) -> None:
    with pytest.raises(SetError):
        read_set(payload)


def test_a_refused_set_keeps_its_id_so_that_it_can_be_answered() -> None:
    with pytest.raises(SetError) as refusal:
        read_set(b'{"value": "open", "id": "a1"}')
    assert refusal.value.id == "a1"
