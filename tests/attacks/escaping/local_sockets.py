"""Talks to services of the machine (Docker, a database, the desktop) over their Unix sockets."""

ANSWERS = {
    "vector": """
import socket

for address in (SOCKET, ABSTRACT):
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(address)
        except OSError as error:
            print(error)
""",
}
