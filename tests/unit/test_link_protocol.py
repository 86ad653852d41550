"""The link's messages: what is written is read again, and nothing else is."""

import pytest

from mes_terminal.errors import CoreError, DatabaseError, InputError, NoDatabaseError
from mes_terminal.link import protocol


def test_a_request_is_read_as_it_was_written() -> None:
    line = protocol.encode_request(7, "scan", {"hex": "574f", "badge": None})
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    request = protocol.decode_request(line)
    assert (request.id, request.do, request.params) == (7, "scan", {"hex": "574f", "badge": None})


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"hello\n",
        b"[]\n",
        b'{"v":1}\n',
        b'{"v":1,"id":"1","do":"scan"}\n',
        b'{"v":1,"id":1,"do":"scan","params":[]}\n',
        b'{"v":2,"id":1,"do":"scan"}\n',
        b"\xff\xfe\n",
        b"[" * 20_000 + b"\n",
    ],
)
def test_what_is_no_request_is_refused(line: bytes) -> None:
    with pytest.raises(InputError):
        protocol.decode_request(line)


def test_a_request_that_is_too_long_is_not_sent() -> None:
    with pytest.raises(InputError):
        protocol.encode_request(1, "scan", {"hex": "0" * protocol.REQUEST_MAX_BYTES})


def test_rows_pass_unchanged() -> None:
    """The stored event stands in a list byte by byte, over the link too."""
    row = b'{"b": 1.50, "a":"\\u00e9"}'
    message = protocol.decode_message(protocol.encode_page(3, [row], more=True))
    assert message.rows is not None
    assert [bytes(one) for one in message.rows] == [row]
    assert message.more


@pytest.mark.parametrize(
    "error",
    [
        InputError("mend it", reason="time"),
        NoDatabaseError("load first", reason="no_database"),
        DatabaseError("damaged", reason="damaged"),
        CoreError("away", reason="core_gone"),
    ],
)
def test_an_error_arrives_as_it_was(error: InputError) -> None:
    message = protocol.decode_message(protocol.encode_error(1, error))
    assert message.error is not None
    with pytest.raises(type(error)) as caught:
        protocol.raise_fault(message.error)
    assert caught.value.sentence == error.sentence
    assert caught.value.reason == error.reason
    assert caught.value.exit_code == error.exit_code


def test_an_answer_that_is_none_is_told() -> None:
    with pytest.raises(CoreError):
        protocol.decode_message(b"garbage\n")
