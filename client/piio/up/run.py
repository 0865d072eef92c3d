"""One run of an installation, from its start to its stop."""

from collections.abc import Callable, Mapping
from threading import Thread

from piio.errors import PiioError
from piio.private_file import make_private_folder
from piio.up.demonstration import send_demonstration
from piio.up.greeting import first_link, greeting, open_page, say
from piio.up.installation import ADMIN, Installation, Place
from piio.up.readiness import WebProbe
from piio.up.service import Service
from piio.up.supervisor import Supervisor, tell
from piio.up.watcher import Sign, Watcher

LISTENS = "running"
"""The end of Mosquitto's line when it listens."""


class Run:
    """The four services of an installation and those who watch them."""

    def __init__(
        self, installation: Installation, place: Place, simulated: bool, token: str, more: Mapping[str, list[str]]
    ) -> None:
        """`more` are arguments that a service gets besides its own, by the service's name."""
        self._more = more
        self._installation = installation
        self._place = place
        self._simulated = simulated
        self._token = token
        self._logs = make_private_folder(installation.state / "logs")
        self._supervisor = Supervisor(tell)
        self._signs: set[Sign] = set()
        self._demonstrated = False
        self._watcher = Watcher(installation.address(ADMIN, place), installation.agent, self._sign)
        self._probe = WebProbe(place.web_host, place.web_port, lambda: self._supervisor.report_ready("webapp"))

    def run(self, open_browser: bool) -> int:
        """Start, wait until somebody wants to stop, stop; the exit status."""
        self._supervisor.listen_for_signals()
        try:
            if self._start():
                output = self._watcher.output
                say(greeting(self._installation, self._place, self._token, output))
                if open_browser:
                    open_page(first_link(self._place, self._token))
                self._supervisor.keep_running()
            say("Stopping …")
        finally:
            self._probe.stop()
            self._watcher.stop()
            self._supervisor.stop()
        return 0

    def _start(self) -> bool:
        if not self._supervisor.start([self._broker()]):
            return False
        self._watcher.start()
        return self._supervisor.start([self._bridge(), self._webapp(), self._agent()])

    def _service(
        self,
        name: str,
        arguments: list[str],
        environment: Mapping[str, str] | None = None,
        on_start: Callable[[], None] | None = None,
    ) -> Service:
        more = [*self._more.get(name, ()), "--state", str(self._installation.state)]
        return Service(
            name, [*arguments, *more], self._logs, self._line, self._supervisor.report_end, environment, on_start
        )

    def _broker(self) -> Service:
        return self._service("broker", ["--port", str(self._place.mqtt_port), "--listen", self._place.listen])

    def _bridge(self) -> Service:
        return self._service("bridge", self._as("bridge"))

    def _webapp(self) -> Service:
        arguments = ["--listen", self._place.listen, "--port", str(self._place.web_port)]
        first = {"PIIO_FIRST_TOKEN": self._token, "PIIO_WEB_USER": ADMIN}
        return self._service("webapp", [*self._as("webapp"), *arguments], first, self._probe.start)

    def _agent(self) -> Service:
        name = self._installation.agent
        simulate = ["--simulate"] if self._simulated else []
        return self._service("agent", ["--name", name, *simulate, *self._as(name)])

    def _as(self, name: str) -> list[str]:
        """Return the arguments that say who a service is; its password stands in a file."""
        address = self._installation.local_address(name, self._place)
        url = repr(address)  # the address without its password
        return ["--url", url, "--password-file", str(self._installation.secret(name))]

    def _line(self, service: Service, line: str) -> None:
        if service.name == "broker" and line.endswith(LISTENS):
            self._supervisor.report_ready("broker")
        self._supervisor.report_line(service, line)

    def _sign(self, sign: Sign) -> None:
        self._signs.add(sign)
        if sign == "plain sets":
            self._supervisor.report_ready("bridge")
        if {"bridge", "agent", "unconfigured"} <= self._signs and self._simulated and not self._demonstrated:
            self._demonstrated = True
            Thread(target=self._demonstrate, name="demonstration", daemon=True).start()
        if sign == "agent" or (sign == "configured" and "agent" in self._signs):
            self._agent_is_there()

    def _agent_is_there(self) -> None:
        """Call the agent ready; a simulated board's is not before there is something to see."""
        if not self._simulated or "configured" in self._signs:
            self._supervisor.report_ready("agent")

    def _demonstrate(self) -> None:
        address = self._installation.address(ADMIN, self._place)
        try:
            trouble = send_demonstration(address, self._installation.agent)
        except PiioError as error:
            trouble = str(error)
        if trouble:
            tell(f"the demonstration could not be set up: {trouble}")
            self._supervisor.report_ready("agent")
