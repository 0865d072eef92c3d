"""A bridge at work that others may drive: broker, bridge and boards that are played, until told to stop."""

import signal

from tests.benchmarks.layout import Layout
from tests.benchmarks.load import program
from tests.benchmarks.stand import Stand, bridge_at_work
from tests.faults.parts import Part

LAYOUT = Layout(sample_rate=10_000)
"""Its points take readings, and blocks as well."""


def serve() -> None:
    """Start everything, say how it is driven, and wait for Ctrl-C, which raises KeyboardInterrupt."""
    with bridge_at_work(LAYOUT) as (made, bridge):
        print(_told(made, bridge), flush=True)
        while True:
            signal.pause()


def _told(made: Stand, bridge: Part) -> str:
    boards, points = f"b0 … b{LAYOUT.boards - 1}", f"0 … {LAYOUT.points - 1}"
    user, reader, port = made.publisher, made.reader, made.parts.mqtt_port
    return f"""\
broker     mqtt://127.0.0.1:{port}
bridge     process {bridge.pid}
publisher  {user.url}    may write the raws of every board
reader     {reader.url}    hears what becomes of them
boards     {boards}, each with channels {points} of the interface adc; all of them are alive, every point is good
raws       piio/b%d/raw/adc/%d      a number x, 0 to 1023; retained, QoS 0
values     piio/b%d/value/p%d       {LAYOUT.equation(0)}; a reader subscribes to piio/+/value/+
blocks     piio/b%d/block/adc/%d    become piio/b%d/values/p%d
for example, 60,000 readings with 500 unanswered at a time (`window`, or `rate`: so many a second):
    PUBLISHER={user.user}:{user.password} READER={reader.user}:{reader.password} \
{program()} {port} numbers {LAYOUT.boards} {LAYOUT.points} 60000 window 500
Everything goes with Ctrl-C, and these credentials with it."""
