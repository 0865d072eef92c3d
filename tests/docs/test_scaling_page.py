"""What docs/scaling.md tells to type is what the programs take; its nginx runs in tests/end_to_end."""

import argparse
import re
import shlex
import tomllib
from pathlib import Path

from piio_webapp import command, message_queue, people
from tests.end_to_end.several_web_apps import example

ROOT = Path(__file__).parents[2]


def test_the_service_and_the_variables_are_what_the_web_app_takes() -> None:
    service = example("ini").replace("\\\n", " ")
    arguments = shlex.split(service.partition("piio webapp ")[2])
    parser = argparse.ArgumentParser()
    command.configure(parser)
    taken = parser.parse_args(arguments)
    assert taken.session_key and taken.proxies == 1
    names = set(re.findall(r"^ *(\w+)=", example("sh"), re.MULTILINE))
    assert names == {people.DATABASE, message_queue.VARIABLE}
    message_queue.MessageQueue(example("sh").partition(f"{message_queue.VARIABLE}=")[2].strip())


def test_the_extras_are_there() -> None:
    page = (ROOT / "docs" / "scaling.md").read_text()
    (extras,) = re.findall(r"pip install 'piio\[([\w,]+)\]'", page)
    assert (
        set(extras.split(","))
        <= tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"].keys()
    )
