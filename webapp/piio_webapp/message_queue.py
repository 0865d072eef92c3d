"""The message queue between several web apps behind one address: Redis, which counts wrong log-ins for all, too."""

import logging
from typing import Any
from urllib.parse import urlsplit

from piio_webapp.errors import MessageQueueError

log = logging.getLogger(__name__)

VARIABLE = "PIIO_WEBAPP_MESSAGE_QUEUE"
"""The variable that holds its URL."""

PATIENCE = 1.0
"""Seconds that nobody waits longer for Redis: it is done without."""


class MessageQueue:
    """Redis by its URL; MessageQueueError says what is wrong with that, or what to install.

    Web apps that sign sessions with one key share it; others may use the same Redis without hearing of them.
    """

    def __init__(self, url: str, group: str = "") -> None:
        try:
            from redis import Redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ModuleNotFoundError as error:
            raise MessageQueueError(
                "a message queue needs Python's package redis: type pip install 'piio[redis]'"
            ) from error
        self.shown = without_password(url)
        """The URL as it may be shown."""
        if urlsplit(url).scheme not in ("redis", "rediss"):
            raise MessageQueueError(
                f"'{self.shown}' is no message queue's URL: redis://host:6379/0, or rediss:// with TLS"
            )
        self._url, self._group = url, f"piio-{group}"
        self._options = {
            "socket_timeout": PATIENCE,
            "socket_connect_timeout": PATIENCE,
            "retry": Retry(NoBackoff(), 0),
        }
        try:
            self._client = Redis.from_url(url, **self._options)
        except ValueError as error:
            raise MessageQueueError(f"'{self.shown}' is no message queue's URL: {error}") from error

    def manager(self) -> Any:
        """Return what carries Socket.IO's messages between web apps; it connects, and tries again, by itself."""
        from socketio import RedisManager

        return RedisManager(self._url, channel=self._group, logger=_Reasons(log, {}), redis_options=dict(self._options))

    def throttling(self) -> dict[str, Any]:
        """Return flask-limiter's settings: counted in Redis for all, and by each web app alone while that is away."""
        return {
            "RATELIMIT_STORAGE_URI": self._url,
            "RATELIMIT_STORAGE_OPTIONS": dict(self._options),
            "RATELIMIT_KEY_PREFIX": self._group,
            "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": True,
        }

    def trouble(self) -> str:
        """Return why Redis cannot be used now, empty when it can."""
        from redis import AuthenticationError, RedisError

        try:
            self._client.ping()
        except AuthenticationError as error:
            return f"Redis at {self.shown} lets us not in ({error}): put the URL with its password into ${VARIABLE}"
        except RedisError as error:
            return f"Redis at {self.shown} does not answer ({error}): start it, e.g. sudo systemctl start redis-server"
        return ""


class _Reasons(logging.LoggerAdapter[logging.Logger]):
    """Adds why Redis cannot be used, which Socket.IO leaves beside its messages."""

    def process(self, msg: Any, kwargs: Any) -> tuple[Any, Any]:
        """Return the message with its reason."""
        reason = (kwargs.get("extra") or {}).get("redis_exception")
        return (f"{msg}: {reason}" if reason else msg), kwargs


def without_password(url: str) -> str:
    """Return a URL as it may be shown."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    return parts._replace(netloc=f"{name}@{host}" if name else host, query="").geturl()
