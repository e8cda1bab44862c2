"""The door of a zygote: a Unix socket through which others of the same user get forks of it."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

NAME = "door"  # of the socket, in the folder of the zygote, which only its user can enter
WAITING = 128  # connections that have not been taken yet


def door_in(folder: Path) -> socket.socket:
    """A new socket that listens there. Raises OSError."""
    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    door.bind(str(folder / NAME))
    door.listen(WAITING)
    return door


def connected(path: str) -> socket.socket:
    """A connection to the zygote at this door. Raises OSError, also where it is another user's."""
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        control.connect(path)
        if not same_user(control):
            raise PermissionError(f"{path} belongs to another user")
    except BaseException:
        control.close()
        raise
    return control


def same_user(connection: socket.socket) -> bool:
    """Whether the process at the other end is one of our own user's."""
    size = struct.calcsize("3i")
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return struct.unpack("3i", credentials)[1] == os.getuid()
