# Bursts of datagrams, and what becomes of them: burst.py listen PORT | send ADDRESS PORT [GSO]. Both print a line for each datagram: its length and its number.
import socket, struct, sys

UDP_SEGMENT = 103
what, *rest = sys.argv[1:]
if what == "listen":
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        s.bind(("::", int(rest[0])))
        while True:
            got = s.recv(65536)
            if got == b"end":
                break
            print(len(got), struct.unpack(">I", got[:4])[0] if len(got) >= 4 else "-")
else:
    to = (rest[0], int(rest[1]))
    with socket.socket(socket.AF_INET6 if ":" in to[0] else socket.AF_INET, socket.SOCK_DGRAM) as s:
        number = 0

        def send(length):
            global number
            s.sendto((struct.pack(">I", number) + bytes(length))[:length], to)
            print(length, number if length >= 4 else "-")
            number += 1

        # One size, a shorter one in between and a longer one, none at all, and one that goes in fragments: many times.
        for length in (20 * [1200] + [7] + 5 * [1200] + [1300, 0, 0, 1] + 70 * [100] + [1472, 1452, 4000, 1200, 30000]) * 8:
            send(length)
        if len(rest) > 2:
            s.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 1000)
            s.sendto(b"".join(struct.pack(">I", number + i) + bytes(996) for i in range(9))[:8500], to)
            for i in range(9):
                print(1000 if i < 8 else 500, number + i)
            s.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 0)
        for _ in range(3):
            s.sendto(b"end", to)
