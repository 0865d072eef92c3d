"""A link is cut and nobody is told: packets are dropped, connections look alive, and TCP delivers it all later."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

import piio
from piio.connection import Connection
from tests.faults.network import Network, need_namespaces
from tests.faults.parts import POINTS, Parts
from tests.faults.volley import PageVolley, Volley
from tests.webapp.stage import Visitor
from tests.witness import Witness, board_is_right


class Scene:
    """An installation whose agent, bridge, web app and publisher each sit behind a link of their own."""

    def __init__(self, parts: Parts, held: ExitStack) -> None:
        self.parts = parts
        self.links: dict[str, Network] = {}
        for name in ("agent", "bridge", "web app", "publisher"):
            self.links[name] = Network()
            held.callback(self.links[name].close)
        parts.broker().start()
        parts.wait_for_broker()
        parts.bridge(**self._behind("bridge")).start()
        parts.webapp(**self._behind("web app"), listen="0.0.0.0").start()
        parts.agent(**self._behind("agent")).start()
        parts.configure(POINTS)

    def _behind(self, name: str) -> dict[str, object]:
        link = self.links[name]
        return {"before": link.before, "host": link.gateway}

    def publisher(self, name: str) -> Connection:
        """An operator's connection, from behind the link of this name."""
        link = self.links[name]
        with link.inside():
            return self.parts.connection("operator", link.gateway)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    need_namespaces()
    parts = Parts(tmp_path_factory.mktemp("parts"), listen="0.0.0.0")
    with ExitStack() as held:
        held.callback(parts.close)
        yield Scene(parts, held)


@pytest.fixture
def witness(scene: Scene) -> Iterator[Witness]:
    made = Witness(scene.parts.state)
    made.wait(board_is_right)
    made.switch_all_off()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("who", "direction", "seconds"),
    [
        ("agent", (), 5.0),
        ("agent", ("to",), 2.8),  # shorter than the time after which a connection is given up: ages alone decide
        ("bridge", (), 5.0),
        ("bridge", ("from",), 2.8),
        pytest.param("agent", ("from",), 5.0, marks=pytest.mark.soak),
        pytest.param("bridge", ("to",), 5.0, marks=pytest.mark.soak),
    ],
    ids=lambda value: "-".join(value) or "both ways" if isinstance(value, tuple) else str(value),
)
def test_what_waited_in_a_link_that_was_cut_never_acts(
    scene: Scene, witness: Witness, who: str, direction: tuple[str, ...], seconds: float
) -> None:
    with scene.parts.connection("operator") as connection, piio.connect(scene.parts.env["PIIO_URL"]) as client:
        volley = Volley(witness, connection, client)
        with scene.links[who].cut(*direction):
            volley.fire_for(seconds)
        witness.wait_until_right(board_is_right)
        volley.check(swallowed=who == "bridge")
        assert all(question.result and not question.result.done for question in volley.questions)


def test_what_a_page_sends_while_the_web_app_cannot_reach_the_broker_never_acts(scene: Scene, witness: Witness) -> None:
    visitor = Visitor(scene.parts.web_url(scene.links["web app"].inside_address), address="")
    assert visitor.log_in("admin", scene.parts.env["PIIO_WEB_PASSWORD"]).status == 200
    page = visitor.page()
    page.look("demo")
    volley = PageVolley(witness, page)
    with scene.links["web app"].cut(port=scene.parts.mqtt_port):
        volley.fire_for(5.0)
    volley.check()
    page.close()


def test_what_the_publishers_own_link_held_back_never_acts_when_it_echoes_a_beacon(
    scene: Scene, witness: Witness
) -> None:
    with scene.publisher("publisher") as connection:
        volley = Volley(witness, connection)
        with scene.links["publisher"].cut():
            volley.fire_for(5.0, "echoed", "echoed for long")
        verdicts = volley.check()
    assert all(result["status"] == "expired" for shot, _, result in verdicts if shot.kind == "echoed")
