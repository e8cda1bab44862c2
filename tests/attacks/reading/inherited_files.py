"""Gets nothing today: reads from every file that the process was born with."""

ANSWERS = {
    "vector": """
import os
import socket
import stat

for number in range(3, 1024):
    try:
        mode = os.fstat(number).st_mode
        print(number, oct(mode), os.readlink(f"/proc/self/fd/{number}"))
    except OSError:
        continue
    try:
        if stat.S_ISREG(mode):
            print(os.pread(number, 1_000_000, 0))
        elif stat.S_ISSOCK(mode):
            with socket.socket(fileno=os.dup(number)) as one:
                print(one.recv(100_000, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        elif stat.S_ISDIR(mode):
            print(os.listdir(number), os.open("..", os.O_RDONLY, dir_fd=number))
    except OSError as error:
        print(error)
""",
}
