# A name server that lies, each name in its own way; most tell the truth in the end: 192.0.2.50.
import socket, struct, threading, time

udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("192.0.2.2", 53))
other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
other.bind(("192.0.2.2", 5353))
tcp = socket.socket()
tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
tcp.bind(("192.0.2.2", 53))
tcp.listen(16)


def question(query):
    at = 12
    while query[at]:
        at += 1 + query[at]
    return query[12:at + 5]


def answer(query, address="192.0.2.50", flip=0, flags=0x8180, asked=None, name=b"\xc0\x0c", count=1):
    header = struct.pack(">HHHHHH", struct.unpack(">H", query[:2])[0] ^ flip, flags, 1, count, 0, 0)
    record = name + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton(address)
    return header + (asked or question(query)) + (record if count else b"")


def serve(query, client):
    kind = query[13:13 + query[12]].decode().lower()
    lie = dict(address="192.0.2.66")
    send = lambda message: udp.sendto(message, client)
    if kind == "id":
        for flip in range(1, 20):
            send(answer(query, flip=flip, **lie))
    elif kind == "port":
        other.sendto(answer(query, **lie), client)
    elif kind == "question":
        send(answer(query, asked=b"\x05other\x04test\x00\x00\x01\x00\x01", **lie))
        send(answer(query, asked=question(query)[:-4] + b"\x00\x1c\x00\x01", **lie))
    elif kind == "query":
        send(answer(query, flags=0x0100, **lie))
    elif kind == "short":
        for length in (0, 1, 2, 11, 12, 13, len(answer(query)) // 2 - 10):
            send(answer(query)[:length])
    elif kind == "many":
        send(struct.pack(">HHHHHH", struct.unpack(">H", query[:2])[0], 0x8180, 0xFFFF, 1, 0, 0) + query[12:])
    elif kind == "loop":
        send(answer(query, name=b"\xc0" + bytes([12 + len(question(query))])))
        return
    elif kind == "truncated":
        send(answer(query, flags=0x8380, count=0))
        return
    elif kind == "nothing":
        send(answer(query, flags=0x8183, count=0) + bytes(range(200)))
        return
    elif kind == "flood":
        for flip in range(1, 5000):
            send(answer(query, flip=flip, **lie))
        return
    elif kind == "silent":
        return
    time.sleep(0.1)
    send(answer(query))


def serve_tcp():
    while True:
        with tcp.accept()[0] as connection:
            length = struct.unpack(">H", connection.recv(2))[0]
            message = answer(connection.recv(length))
            connection.sendall(struct.pack(">H", len(message)) + message)


threading.Thread(target=serve_tcp, daemon=True).start()
while True:
    threading.Thread(target=serve, args=udp.recvfrom(2000), daemon=True).start()
