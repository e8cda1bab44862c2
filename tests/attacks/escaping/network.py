"""Sends what it has read to a server: nothing keeps a kernel off the network."""

ANSWERS = {
    "vector": """
import socket

with socket.create_connection(("127.0.0.1", PORT), timeout=2) as connection:
    connection.sendall(repr(In).encode())
""",
    "blend": """
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as messenger:
    messenger.sendto(repr(In).encode(), ("127.0.0.1", UDP_PORT))
""",
}
