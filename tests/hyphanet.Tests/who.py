# Tells whoever sends a datagram who they are: who.py PORT. One process: socat's, which forks for each, loses one in ten.
import socket, sys

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.bind(("0.0.0.0", int(sys.argv[1])))
    while True:
        _, (address, port) = s.recvfrom(65536)
        s.sendto(f"{address} {port}\n".encode(), (address, port))
