"""TLS in front of a plain HTTP server: tls_front.py CERTIFICATE KEY PORT. Prints the port that it listens on.

It passes bytes on and reads nothing of them. What a handshake costs the other end is what it costs with DynamoDB.
"""

import select
import socket
import ssl
import sys
import threading


def main() -> None:
    certificate, key, port = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(context, connection, int(port)), daemon=True).start()


def serve(context: ssl.SSLContext, connection: socket.socket, port: int) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        with context.wrap_socket(connection, server_side=True) as client:
            with socket.create_connection(("127.0.0.1", port)) as server:
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                pass_on(client, server)
    except OSError:
        return


def pass_on(client: ssl.SSLSocket, server: socket.socket) -> None:
    while True:
        readable, _, _ = select.select([client, server], [], [])
        if server in readable:
            data = server.recv(65_536)
            if not data:
                return
            client.sendall(data)
        if client in readable and not receive(client, server):
            return


def receive(client: ssl.SSLSocket, server: socket.socket) -> bool:
    """Passes on everything that has arrived; false at the end."""
    while True:
        client.setblocking(False)
        try:
            data = client.recv(65_536)
        except ssl.SSLWantReadError:
            return True
        finally:
            client.setblocking(True)
        if not data:
            return False
        server.sendall(data)


if __name__ == "__main__":
    main()
