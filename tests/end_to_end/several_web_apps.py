"""Two web apps behind one address, as docs/scaling.md puts them together, with all that they need."""

import os
import re
from pathlib import Path
from unittest.mock import patch

from piio_webapp import message_queue, people
from tests.ports import free_port
from tests.postgresql import PostgreSQL
from tests.redis_server import RedisServer
from tests.webapp.stage import PASSWORD, PEOPLE, Process, Stage, Visitor, eventually, healthy

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"

STARTED = 40.0
"""Seconds that two web apps may take to start on a busy machine; alone it takes two."""

AROUND = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; worker_rlimit_nofile 1024;
events {{ worker_connections 200; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
{server}
}}
"""


def example(language: str) -> str:
    """The chapter's only block in a language."""
    (chapter,) = re.findall(r"^## Several web apps\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (block,) = re.findall(rf"^ *```{language}\n(.*?)^ *```", chapter, re.MULTILINE | re.DOTALL)
    return str(block)


class SeveralWebApps(Stage):
    """A stage with the web apps `a` and `b`; its own address is nginx's."""

    def __init__(self, folder: Path) -> None:
        self.postgresql, self.redis = PostgreSQL(), RedisServer()
        self.database = self.postgresql.database()
        self.ports = {"a": free_port(), "b": free_port()}
        try:
            super().__init__(folder)
        except BaseException:
            self.close()  # nobody else ends what has been started
            raise

    def open_webapps(self) -> None:
        with patch.dict(os.environ, {people.DATABASE: self.database}):
            for name, role in PEOPLE.items():
                people.added(self.state, name, role, PASSWORD)
        key = self.folder / "session.key"
        key.write_text("0123456789abcdef" * 4)
        self.webapps = {name: self._webapp(name, key) for name in self.ports}
        self._nginx()
        for name in self.ports:
            eventually(lambda name=name: self.is_well(name), f"web app {name}", STARTED)

    def url_of(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def at(self, name: str, visitor: Visitor) -> Visitor:
        """The same browser, straight at one of the web apps."""
        return Visitor(self.url_of(name), cookies=visitor.cookies)

    def is_well(self, name: str) -> bool:
        return healthy(self.url_of(name))

    def close(self) -> None:
        super().close()
        self.redis.__exit__()
        self.postgresql.__exit__()

    def _webapp(self, name: str, key: Path) -> Process:
        options = [
            *("--state", str(self.folder / name), "--session-key", str(key)),
            *("--port", str(self.ports[name]), "--proxies", "1"),
        ]
        servers = {people.DATABASE: self.database, message_queue.VARIABLE: self.redis.url}
        return self._piio(f"webapp-{name}", "webapp", *options, **servers)

    def _nginx(self) -> None:
        """Run the page's example, here without TLS."""
        server = re.sub(r"^ *(ssl_|server_name).*\n", "", example("nginx"), flags=re.MULTILINE)
        places = {"443 ssl": f"127.0.0.1:{self.web_port}"} | {
            f"10.0.0.1{number}:8080": f"127.0.0.1:{port}" for number, port in enumerate(self.ports.values(), 1)
        }
        for there, here in places.items():
            assert there in server
            server = server.replace(there, here)
        file = self.folder / "nginx.conf"
        file.write_text(AROUND.format(folder=self.folder, server=server))
        self._process("nginx", ["setpriv", "--pdeathsig", "KILL", "nginx", "-c", str(file)])
