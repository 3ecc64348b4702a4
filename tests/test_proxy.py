"""The proxy counts round trips exactly, loses what it is told to, and leaves nothing behind."""

import socket
import socketserver
import threading
from collections.abc import Iterator

import pytest

from bench.faults.proxy import Proxy


class Echo(socketserver.StreamRequestHandler):
    """Answers each line, and remembers that it executed it."""

    def handle(self) -> None:
        assert isinstance(self.server, EchoServer)
        try:
            for line in self.rfile:
                self.server.executed.append(line)
                self.wfile.write(line.upper())
        except ConnectionError:
            return


class EchoServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Echo)
        self.executed: list[bytes] = []


@pytest.fixture
def server() -> Iterator[EchoServer]:
    with EchoServer() as echo:
        thread = threading.Thread(target=echo.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield echo
        echo.shutdown()
        thread.join()


@pytest.fixture
def proxy(server: EchoServer) -> Iterator[Proxy]:
    with Proxy("127.0.0.1", server.server_address[1]) as one:
        yield one


class Client:
    def __init__(self, proxy: Proxy) -> None:
        self.sock = socket.create_connection(("127.0.0.1", proxy.url_port), timeout=5)
        self.file = self.sock.makefile("rb")

    def ask(self, line: bytes) -> bytes:
        self.sock.sendall(line)
        return self.file.readline()

    def close(self) -> None:
        self.file.close()
        self.sock.close()


@pytest.fixture
def client(proxy: Proxy) -> Iterator[Client]:
    one = Client(proxy)
    yield one
    one.close()


def test_each_question_and_answer_is_one_exchange(proxy: Proxy, client: Client) -> None:
    """Whoever has an answer finds its exchange counted."""
    for asked in range(1, 51):
        assert client.ask(b"rotate\n") == b"ROTATE\n"
        assert proxy.exchanges == asked


def test_a_pipelined_burst_is_one_exchange_at_least_and_connections_are_apart(
    proxy: Proxy, client: Client
) -> None:
    """Each connection has its own count; the total is their sum."""
    client.ask(b"one\n")
    other = Client(proxy)
    other.ask(b"two\n")
    other.ask(b"three\n")
    other.close()
    assert [connection.exchanges for connection in proxy.connections] == [1, 2]
    assert proxy.exchanges == 3


def test_a_dropped_reply_comes_after_the_server_executed_the_request(
    server: EchoServer, proxy: Proxy, client: Client
) -> None:
    """Reset: the client's connection breaks, the request took effect, the next client is served."""
    client.ask(b"before\n")
    proxy.drop_next_reply()
    with pytest.raises(ConnectionResetError):
        client.ask(b"rotate\n")
    assert server.executed == [b"before\n", b"rotate\n"]
    assert proxy.dropped == 1
    again = Client(proxy)
    assert again.ask(b"after\n") == b"AFTER\n"
    again.close()


def test_a_silently_dropped_reply_leaves_the_client_waiting(
    server: EchoServer, proxy: Proxy, client: Client
) -> None:
    """Silence: no answer and no error; only the client's own time-out ends the wait."""
    proxy.drop_next_reply("silence")
    client.sock.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.ask(b"rotate\n")
    assert server.executed == [b"rotate\n"]


def test_only_a_matching_request_loses_its_reply(proxy: Proxy, client: Client) -> None:
    """A heartbeat on the same server passes; a match may straddle two writes."""
    proxy.drop_next_reply(matching=b"family-7")
    assert client.ask(b"ping\n") == b"PING\n"
    client.sock.sendall(b"rotate fami")
    with pytest.raises(ConnectionResetError):
        client.ask(b"ly-7\n")
    assert proxy.dropped == 1


def test_each_of_several_first_requests_loses_its_reply(proxy: Proxy, client: Client) -> None:
    """In whatever order they come; a second one for the same is answered."""
    proxy.drop_first_replies([b"family-7", b"family-8"])
    for name in (b"family-8", b"family-7"):
        other = Client(proxy)
        with pytest.raises(ConnectionResetError):
            other.ask(b"rotate %b\n" % name)
        other.close()
    assert client.ask(b"rotate family-7\n") == b"ROTATE FAMILY-7\n"
    assert proxy.dropped == 2


def test_a_disarmed_proxy_drops_nothing(proxy: Proxy, client: Client) -> None:
    """A loss that met no request can be taken back."""
    proxy.drop_next_reply()
    proxy.disarm()
    assert client.ask(b"ping\n") == b"PING\n"
    assert proxy.dropped == 0


def test_refused_connections_are_refused_until_accepted_again(proxy: Proxy) -> None:
    """The port stays the proxy's all the while."""
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        Client(proxy)
    proxy.accept()
    client = Client(proxy)
    assert client.ask(b"ping\n") == b"PING\n"
    client.close()


def test_cut_resets_what_is_open(proxy: Proxy, client: Client) -> None:
    """After cut returns, the old connection is dead and a new one works."""
    client.ask(b"ping\n")
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        client.ask(b"ping\n")
    assert [connection.open for connection in proxy.connections] == [False]


def test_a_stalled_proxy_holds_bytes_back_and_then_delivers_them(
    proxy: Proxy, client: Client
) -> None:
    """Nothing is lost by a stall."""
    client.ask(b"ping\n")
    proxy.stall()
    client.sock.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.ask(b"late\n")
    proxy.flow()
    client.sock.settimeout(5)
    assert client.sock.recv(100) == b"LATE\n"


def test_without_a_server_the_client_is_reset(server: EchoServer) -> None:
    """The proxy hides no outage behind a connection that opens."""
    closed = socket.create_server(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    with Proxy("127.0.0.1", port) as proxy, socket.socket() as client:
        client.settimeout(5)

        def reach() -> bytes:
            client.connect(("127.0.0.1", proxy.url_port))
            return client.recv(1)

        with pytest.raises(ConnectionResetError):
            reach()


def test_reroute_keeps_everything_but_the_address(proxy: Proxy) -> None:
    """User, database and options of the URL stay."""
    assert proxy.reroute("postgresql://bench@127.0.0.1:5432/bench?a=b") == (
        f"postgresql://bench@127.0.0.1:{proxy.url_port}/bench?a=b"
    )


def test_close_leaves_no_thread_and_no_listener(server: EchoServer) -> None:
    """Closing twice is fine, with a client still connected."""
    before = threading.active_count()
    proxy = Proxy("127.0.0.1", server.server_address[1])
    client = Client(proxy)
    client.ask(b"ping\n")
    proxy.close()
    proxy.close()
    client.close()
    with pytest.raises(ConnectionRefusedError):
        Client(proxy)
    assert not any(thread.name == "proxy" for thread in threading.enumerate())
    assert threading.active_count() <= before + 1
