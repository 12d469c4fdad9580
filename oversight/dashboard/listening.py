"""Connections: one event loop that slow clients cannot fill, and threads that one client cannot take for himself.

waitress reads requests in an event loop and hands only whole ones to a thread. What it does not know is added here:
a request has to be there in time, who holds many half-sent ones loses the oldest of them, and requests wait for a
thread by party, so that whoever asks for much waits behind himself.
"""

from __future__ import annotations

import contextlib
import resource
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import MultiSocketServer, TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher

# The largest request there is: the rows of a table to be taken away, a long query.
BODY_BYTES = 2 * 2**20
HEAD_BYTES = 32 * 2**10
# Open connections, and those of one address that have not yet sent a whole request.
CONNECTIONS = 1000
UNHEARD_EACH = 64
HEAD_SECONDS = 15
REQUEST_SECONDS = 60
IDLE_SECONDS = 60
# Beyond this a request or an answer lies in a temporary file and not in memory.
MEMORY_EACH = 64 * 2**10
# Requests of one party that wait for a thread; a browser sends six at once.
WAITING_EACH = 256
# Threads that one party may hold: all but two, or so few when others wait as well.
HELD_AMONG_OTHERS = 2
# After a refusal a party waits so long while another one is being answered: a flood of what is refused (queries beyond
# their number, say) would share Python's one lock with whoever is answered.
REFUSED_SECONDS = 0.2

# Whose a request is, by its header fields (HTTP_COOKIE as waitress names it: COOKIE) and the address it came from.
Party = Callable[[dict[str, str], str], str]
Application = Callable[..., Iterable[bytes]]

_REFUSALS = {
    400: "请求不符合 HTTP 的写法，没有处理。请用浏览器打开本服务的网址。",
    413: f"请求太大（最多 {BODY_BYTES // 2**20} MB），没有接收。请缩小内容后重试。",
    431: "请求的头部太大，没有处理。请清除本站的 Cookie 后重试。",
    429: "您同时发出的请求太多，没有处理。请等前面的请求完成后再试。",
    500: "服务出错，没能回答。请重试；若仍不行，请告诉系统管理员，运行日志里有记录。",
    501: "不支持这种传输方式。请用浏览器打开本服务的网址。",
}


class _Told:
    """A refusal in one sentence, in place of waitress's own words."""

    def __init__(self, code: int, reason: str) -> None:
        self.code, self.reason = code, reason

    def to_response(self, _ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        """As waitress asks for it."""
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
        ]
        return f"{self.code} {self.reason}", headers, _REFUSALS.get(self.code, _REFUSALS[400]).encode()


class _Refusal(ErrorTask):  # type: ignore[misc]
    """The answer to what is no request."""

    def execute(self) -> None:
        """Say it."""
        error = self.request.error
        self.request.error = _Told(error.code, error.reason)
        super().execute()


class _Channel(HTTPChannel):  # type: ignore[misc]
    """One connection, which knows how long it has been sending."""

    error_task_class = _Refusal
    began = 0.0
    has_asked = False

    def received(self, data: bytes) -> bool:
        """Bytes came in."""
        if self.request is None:
            self.began = time.time()
        found: bool = super().received(data)
        return found

    def is_unheard(self) -> bool:
        """Whether a request is under way and not yet whole, the first one too of which nothing has come."""
        return not self.requests and (self.request is not None or not self.has_asked)

    def is_late(self, now: float) -> bool:
        """Whether the request under way takes longer than any honest one."""
        if not self.is_unheard():
            return False
        has_head = self.request is not None and self.request.headers_finished
        return now - (self.began or self.creation_time) > (REQUEST_SECONDS if has_head else HEAD_SECONDS)


class _Listener(TcpWSGIServer):  # type: ignore[misc]
    """The listening socket."""

    channel_class = _Channel

    def maintenance(self, now: float) -> None:
        """Close what is idle for long, and what is late."""
        super().maintenance(now)
        for channel in self.active_channels.values():
            if channel.is_late(now):
                channel.will_close = True

    def handle_accept(self) -> None:
        """Take a connection; when there are too many, the ones that wait longest for their own request go."""
        super().handle_accept()
        open_now = [channel for channel in self.active_channels.values() if not channel.will_close]
        unheard = [channel for channel in open_now if channel.is_unheard()]
        if len(unheard) > UNHEARD_EACH:
            held = Counter(channel.addr[0] for channel in unheard)
            for address in (address for address, count in held.items() if count > UNHEARD_EACH):
                oldest = min(
                    (channel for channel in unheard if channel.addr[0] == address),
                    key=lambda channel: channel.creation_time,
                )
                oldest.will_close = True
        if len(open_now) > CONNECTIONS:
            idle = [channel for channel in open_now if not channel.requests]
            if idle:
                min(idle, key=lambda channel: channel.last_activity).will_close = True


class _Turns(ThreadedTaskDispatcher):  # type: ignore[misc]
    """Threads that take the parties' requests in turn."""

    def __init__(self, party: Party) -> None:
        super().__init__()
        self.party = party
        # Until when whoever was refused waits; what the application answered last in this thread.
        self.refused: dict[str, float] = {}
        self.answered = threading.local()
        self.waiting: OrderedDict[str, deque[Any]] = OrderedDict()
        self.running: Counter[str] = Counter()

    def add_task(self, task: Any) -> None:
        """A connection whose next request is whole."""
        task.has_asked = True
        request = task.requests[0]
        name = self.party(request.headers, task.addr[0])
        with self.lock:
            queue = self.waiting.setdefault(name, deque())
            if len(queue) >= WAITING_EACH and request.error is None:
                request.error = _Told(429, "Too Many Requests")
            queue.append(task)
            self.queue_cv.notify()

    def _next(self) -> tuple[str, Any] | None:
        others = len(self.waiting.keys() | self.running.keys()) > 1
        most = HELD_AMONG_OTHERS if others else max(1, len(self.threads) - 2)
        now = time.monotonic()
        for name, queue in self.waiting.items():
            if self.running.keys() - {name} and self.refused.get(name, 0) > now:
                continue
            if self.running[name] < most or queue[0].requests[0].error is not None:
                task = queue.popleft()
                self.running[name] += 1
                # The next turn is another's.
                self.waiting.move_to_end(name)
                if not queue:
                    del self.waiting[name]
                return name, task
        return None

    def handler_thread(self, thread_no: int) -> None:
        """Work until told to stop."""
        while True:
            with self.lock:
                found = self._next()
                while found is None and self.stop_count == 0:
                    self.active_count -= 1
                    # Whoever waits after a refusal is not told when that is over.
                    self.queue_cv.wait(REFUSED_SECONDS if self.waiting else None)
                    self.active_count += 1
                    found = self._next() if self.stop_count == 0 else None
                if found is None:
                    self.active_count -= 1
                    self.stop_count -= 1
                    self.threads.discard(thread_no)
                    self.thread_exit_cv.notify()
                    return
            name, task = found
            self.answered.status = 0
            try:
                task.service()
            except BaseException:
                self.logger.exception("a request could not be answered")
            finally:
                with self.lock:
                    self._note(name)
                    self.running[name] -= 1
                    if self.running[name] <= 0:
                        del self.running[name]
                    # Whoever had to wait behind this one may go on now.
                    self.queue_cv.notify()

    def _note(self, name: str) -> None:
        """Whether the last answer of this thread was a refusal; what is over is forgotten."""
        now = time.monotonic()
        for other in [other for other, until in self.refused.items() if until <= now]:
            del self.refused[other]
        if self.answered.status >= 400:
            self.refused[name] = now + REFUSED_SECONDS

    def seen(self, application: Application) -> Application:
        """The application, which says to its thread how it answered."""

        def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            def noting(status: str, *more: Any) -> Any:
                self.answered.status = int(status[:3])
                return start_response(status, *more)

            return application(environ, noting)

        return answer

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:
        """Stop the threads, and let go of what still waits."""
        with self.lock:
            for queue in self.waiting.values():
                self.queue.extend(queue)
            self.waiting.clear()
        stopped: bool = super().shutdown(cancel_pending, timeout)
        return stopped


def listen(application: Application, host: str, port: int, threads: int, party: Party) -> Any:
    """A server bound to its port; `run()` serves until stopped. Raises `OSError` when the port cannot be had."""
    _allow_files(CONNECTIONS + 500)
    adjusted = Adjustments(
        host=host,
        port=port,
        threads=threads,
        ident="oversight",
        # The limits are those above; waitress at its own would refuse whoever comes next, honest or not.
        connection_limit=CONNECTIONS * 4,
        backlog=1024,
        channel_timeout=IDLE_SECONDS,
        cleanup_interval=2,
        max_request_header_size=HEAD_BYTES,
        max_request_body_size=BODY_BYTES + 1,
        inbuf_overflow=MEMORY_EACH,
        outbuf_overflow=2 * MEMORY_EACH,
        asyncore_use_poll=True,
        # Whom to believe about these is decided in the gate.
        clear_untrusted_proxy_headers=False,
        expose_tracebacks=False,
        log_socket_errors=False,
    )
    turns = _Turns(party)
    sockets: dict[int, Any] = {}
    made: list[Any] = []
    try:
        for place in adjusted.listen:
            made.append(
                _Listener(
                    turns.seen(application),
                    sockets,
                    True,
                    None,
                    dispatcher=turns,
                    adj=adjusted,
                    sockinfo=place,
                )
            )
    except BaseException:
        wasyncore.close_all(sockets)
        raise
    turns.set_thread_count(threads)
    if len(made) == 1:
        return made[0]
    places = [(one.effective_host, one.effective_port) for one in made]
    return MultiSocketServer(sockets, adjusted, places, turns, made[-1].log_info)


def _allow_files(count: int) -> None:
    """A connection is an open file; the limit that users start with is often 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
