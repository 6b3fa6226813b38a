"""Lets a Python program reach the cluster by sockets of its own: pymysql, redis-py, pika, asyncio.

Python runs it ahead of the program, since PYTHONPATH names its folder; HAWSER_HOOK_PORT is the port of the front door, which knows
what belongs to the cluster:

- `GET /address?host=NAME` answers an address that stands for a name; this is what look-ups find.
- `PUT /port?host=HOST&port=PORT` answers the port of 127.0.0.1 that leads to a destination; this is where connections go.

An empty answer, a front door that is gone, and any fault here mean: as it would be without this file. UDP is left alone; so is what
resolves or connects in C (psycopg, grpcio, uvloop), which never comes by here. Every Python that the program starts reads this file,
hence nothing in it that Python 2 could not parse; it is of use from 3.8 on.
"""

import os
import sys


def _install(front_door):
    import _socket  # what programs mock, or a test forbids, is the other one
    import socket
    from time import monotonic  # as it is before a test's fake clock takes its place

    answer_time = 5  # seconds in which the front door answers, else the program goes its own way
    answer_limit = 16384  # bytes that an answer may have, head and body
    answer_life = 10  # seconds; another session may have other ports
    refusal_life = 2  # seconds for which "not the cluster's" holds
    kept_answers = 1000
    letters = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.:")  # of names and addresses

    answers = {}  # by path: the answer, and until when it holds
    any_path = ""  # for which there is none while nobody listens: Windows takes two seconds to say so

    def ask(method, path):
        """What the front door answers; empty where it has no answer."""
        for each in path, any_path:
            answer, until = answers.get(each, ("", 0))
            if until > monotonic():
                return answer
        try:
            answer = request(method, path)
        except ConnectionRefusedError:
            answer, path = "", any_path
        except (OSError, ValueError):
            answer = ""
        if len(answers) >= kept_answers:
            answers.clear()
        answers[path] = answer, monotonic() + (answer_life if answer else refusal_life)
        return answer

    def request(method, path):
        deadline = monotonic() + answer_time
        head = "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        try:
            connection.settimeout(answer_time)
            connection.connect(("127.0.0.1", front_door))
            connection.sendall((head % (method, path, front_door)).encode("ascii"))
            answer = b""
            while len(answer) <= answer_limit:
                connection.settimeout(max(deadline - monotonic(), 0.001))
                chunk = connection.recv(4096)
                if not chunk:
                    head, _, body = answer.partition(b"\r\n\r\n")
                    return body.decode("ascii").strip() if head.startswith(b"HTTP/1.1 200 ") else ""
                answer += chunk
        finally:
            connection.close()
        return ""

    def clusters(host):
        """The host as text where it may be the cluster's: this machine's own is not, nor is what no host is called."""
        if isinstance(host, (bytes, bytearray)):
            host = host.decode("ascii")
        if not isinstance(host, str) or not host or not set(host.lower()) <= letters:
            return None
        name = host.lower().rstrip(".")
        own = name in ("localhost", "0.0.0.0", "::", "::1") or name.startswith(("127.", "::ffff:127."))
        return None if own or name.endswith(".localhost") else host

    def is_address(host):
        for family in (_socket.AF_INET, _socket.AF_INET6):
            try:
                _socket.inet_pton(family, host)
                return True
            except OSError:
                pass
        return False

    def address_of(host):
        """The address that stands for a name of the cluster, if it is one."""
        try:
            name = clusters(host)
            if name is None or is_address(name):
                return None
            address = ask("GET", "/address?host=" + name)
            _socket.inet_pton(_socket.AF_INET, address)
            return address
        except Exception:
            return None

    def way_to(connecting, address):
        """Where a socket that is to connect to `address` does so."""
        try:
            if connecting.type != socket.SOCK_STREAM or connecting.family not in (socket.AF_INET, socket.AF_INET6):
                return address
            host = clusters(address[0])
            port = int(ask("PUT", "/port?host=%s&port=%d" % (host, address[1])) or 0) if host else 0
            if not 0 < port < 65536:
                return address
            if connecting.family == socket.AF_INET:
                return "127.0.0.1", port
            connecting.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            return "::ffff:127.0.0.1", port, 0, 0
        except Exception:
            return address

    getaddrinfo = socket.getaddrinfo
    gethostbyname = socket.gethostbyname
    connect = socket.socket.connect
    connect_ex = socket.socket.connect_ex

    def hooked_getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
        hook_proactor()
        if family in (0, socket.AF_INET) and type in (0, socket.SOCK_STREAM) and not flags & socket.AI_NUMERICHOST:
            host = address_of(host) or host
        return getaddrinfo(host, port, family, type, proto, flags)

    def hooked_gethostbyname(hostname):
        return gethostbyname(address_of(hostname) or hostname)

    def hooked_connect(self, address):
        return connect(self, way_to(self, address))

    def hooked_connect_ex(self, address):
        return connect_ex(self, way_to(self, address))

    def hook_proactor():
        """The event loop of asyncio on Windows connects by the system's own means. It is there, if at all, when a name is looked up."""
        events = sys.modules.get("asyncio.windows_events")
        proactor = getattr(events, "IocpProactor", None)
        if proactor is None or hasattr(proactor.connect, "__wrapped__"):
            return
        proactor_connect = proactor.connect

        def hooked(self, conn, address):
            return proactor_connect(self, conn, way_to(conn, address))

        proactor.connect = imitating(proactor_connect, hooked)

    def imitating(original, hooked):
        hooked.__name__ = original.__name__
        hooked.__doc__ = original.__doc__
        hooked.__wrapped__ = original
        return hooked

    socket.getaddrinfo = imitating(getaddrinfo, hooked_getaddrinfo)
    socket.gethostbyname = imitating(gethostbyname, hooked_gethostbyname)
    socket.socket.connect = imitating(connect, hooked_connect)
    socket.socket.connect_ex = imitating(connect_ex, hooked_connect_ex)


def _run_the_next():
    """Runs the sitecustomize that there would be without this one, and leaves it in this one's place."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    ours = sys.modules.pop(__name__)
    try:
        __import__(__name__)
    except ImportError as error:
        if getattr(error, "name", None) != __name__:
            raise
    finally:
        sys.modules.setdefault(__name__, ours)


try:
    if sys.version_info >= (3, 8):
        _install(int(os.environ["HAWSER_HOOK_PORT"]))
except Exception:
    pass  # the program runs as it would without
_run_the_next()
