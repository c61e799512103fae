"""What is measured: throughput, memory of what is open, handshakes, allocations."""

import base64
import http.client
import os
import pathlib
import socket
import ssl
import struct
import subprocess
import sys
import time

from systems import BODY, LOAD_CORE, SOCKET_PATH, cpu_seconds, pss_kib


def load(port, host, protocol, requests, token, log):
    """One run of h2load; returns requests a second and latencies in ms."""
    command = ["taskset", "-c", LOAD_CORE, "h2load", "-n", str(requests), "-c", "32", "-t", "1", "--log-file", str(log)]
    # octroi prefers 256 bits and nginx takes what the client names first: the client names one.
    command += ["--tls13-ciphers=TLS_AES_256_GCM_SHA384", *(["--h1"] if protocol == "h1" else ["-m", "8"])]
    command += [f"--connect-to=127.0.0.1:{port}", "-H", f"cookie: __Host-octroi={token}", f"https://{host}:{port}/item?id=7"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if f"{requests} succeeded" not in done.stdout:
        sys.exit(f"the load run failed:\n{' '.join(command)}\n{done.stdout}{done.stderr}")
    rows = [line.split("\t") for line in pathlib.Path(log).read_text().splitlines()]
    bad = [row for row in rows if row[1] != "200"]
    if bad:
        sys.exit(f"{len(bad)} of {len(rows)} answers were not 200, the first {bad[0]}")
    micros = sorted(int(row[2]) for row in rows)
    rate = float(done.stdout.split("finished in ")[1].split(", ")[1].split(" ")[0])
    cipher = [line for line in done.stdout.splitlines() if line.startswith("Cipher")]
    return rate, micros[len(micros) // 2] / 1000, micros[int(len(micros) * 0.99)] / 1000, cipher


def throughput(systems, rounds, requests, folder):
    """CPU-seconds per 100,000 requests, requests a second, p50 and p99, by system, protocol and round."""
    results, ciphers = {}, set()
    for index in range(rounds + 1):
        for protocol in ("h1", "h2"):
            # The order turns each round, so that no system always follows the same neighbour.
            turn = index % len(systems)
            for name, system, host, token in systems[turn:] + systems[:turn]:
                before = cpu_seconds(system.pids())
                rate, p50, p99, cipher = load(system.port, host, protocol, requests, token, folder / "h2load.log")
                used = (cpu_seconds(system.pids()) - before) * 100_000 / requests
                (folder / "h2load.log").unlink()
                ciphers.update(cipher)
                if index:  # The first round only warms up.
                    results.setdefault((name, protocol), []).append((used, rate, p50, p99))
                print(f"round {index} {protocol} {name:15} {used:6.2f} CPU-s/100k {rate:8.0f}/s p99 {p99:6.2f} ms", flush=True)
    if len(ciphers) > 1:
        sys.exit(f"the systems do not use the same cipher: {ciphers}")
    return results


def tls_context(protocol):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["h2" if protocol == "h2" else "http/1.1"])
    return context


def connect(context, port, host, token, protocol):
    """A connection that has served one request and rests."""
    tls = context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname=host)
    authority, cookie = f"{host}:{port}".encode(), f"__Host-octroi={token}".encode()
    if protocol == "h1":
        tls.sendall(b"GET /item HTTP/1.1\r\nHost: " + authority + b"\r\nCookie: " + cookie + b"\r\n\r\n")
        received = b""
        while BODY.encode() not in received:
            received += tls.recv(65536)
        return tls
    # RFC 7541: indexed method and scheme, the rest literal and not indexed.
    block = b"\x82\x87" + b"\x04\x05/item" + b"\x01" + bytes([len(authority)]) + authority
    block += b"\x0f\x11" + bytes([len(cookie)]) + cookie
    frames = b"\0\0\0\4\0\0\0\0\0" + struct.pack(">I", len(block))[1:] + b"\1\5\0\0\0\1" + block
    tls.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frames)
    received, ended = b"", False
    while not ended:
        received += tls.recv(65536)
        while len(received) >= 9 and len(received) >= 9 + int.from_bytes(received[:3], "big"):
            kind, flags = received[3], received[4]
            if kind == 4 and not flags & 1:
                tls.sendall(b"\0\0\0\4\1\0\0\0\0")
            ended |= kind == 0 and bool(flags & 1)
            received = received[9 + int.from_bytes(received[:3], "big") :]
    return tls


def open_socket(context, port, host, token):
    """A WebSocket that has echoed one frame and rests."""
    tls = context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname=host)
    authority = f"{host}:{port}"
    tls.sendall(
        f"GET {SOCKET_PATH} HTTP/1.1\r\nHost: {authority}\r\nOrigin: https://{authority}\r\nCookie: __Host-octroi={token}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n".encode()
    )
    received = b""
    while b"\r\n\r\n" not in received:
        received += tls.recv(65536)
    if not received.startswith(b"HTTP/1.1 101"):
        sys.exit(f"no WebSocket came about: {received[:200]}")
    tls.sendall(b"\x81\x85\0\0\0\0hello")
    if tls.recv(64) != b"\x81\x05hello":
        sys.exit("the WebSocket does not echo")
    return tls


def memory_of(system, count, make):
    """KiB of proportional set size for each of `count` connections, after a hundred that warm up."""
    opened = [make() for _ in range(100)]
    time.sleep(1)
    before = pss_kib(system.pids())
    opened += [make() for _ in range(count)]
    time.sleep(1)
    grown = pss_kib(system.pids()) - before
    for each in opened:
        each.close()
    time.sleep(1)
    return grown / count


def memory(fresh, host, token_of, count):
    """KiB for an idle connection of either protocol and for an open WebSocket, each of a process that `fresh` begins:
    what another kind of connection left behind would hide what this one takes."""
    context = {protocol: tls_context(protocol) for protocol in ("h1", "h2")}

    def each(make):
        system = fresh()
        return memory_of(system, count, lambda: make(system.port, token_of(system)))

    return {
        "h1": each(lambda port, token: connect(context["h1"], port, host, token, "h1")),
        "h2": each(lambda port, token: connect(context["h2"], port, host, token, "h2")),
        "websocket": each(lambda port, token: open_socket(context["h1"], port, host, token)),
    }


def handshakes(system, host, resumed, count):
    """CPU-milliseconds of a TLS 1.3 handshake, with one request so that tickets arrive. Fails where none was resumed."""
    context, session, reused = tls_context("h1"), None, 0

    def once():
        nonlocal session, reused
        with socket.create_connection(("127.0.0.1", system.port)) as raw:
            with context.wrap_socket(raw, server_hostname=host, session=session if resumed else None) as tls:
                tls.sendall(f"HEAD /item HTTP/1.1\r\nHost: {host}:{system.port}\r\nConnection: close\r\n\r\n".encode())
                while tls.recv(65536):
                    pass
                reused += tls.session_reused
                session = tls.session

    once()
    reused, before = 0, cpu_seconds(system.pids())
    for _ in range(count):
        once()
    used = (cpu_seconds(system.pids()) - before) * 1000 / count
    if reused != (count if resumed else 0):
        sys.exit(f"{reused} of {count} handshakes were resumed")
    return used


def allocations(system, host, token, requests, folder):
    """Heap allocations for each authenticated request, counted by a build that counts them."""

    def counted():
        page = http.client.HTTPConnection("127.0.0.1", system.management)
        page.request("GET", "/metrics")
        lines = page.getresponse().read().decode().splitlines()
        page.close()
        return next(int(line.split()[1]) for line in lines if line.startswith("heap_allocations_total"))

    def cost_of(requests, protocol):
        before = counted()
        load(system.port, host, protocol, requests, token, folder / "h2load.log")
        return counted() - before

    found = {}
    for protocol in ("h1", "h2"):
        cost_of(requests, protocol)  # Warms up.
        # Twice as many less once as many: what connections and looks at the counter cost falls out.
        once, twice = cost_of(requests, protocol), cost_of(2 * requests, protocol)
        found[protocol] = (twice - once) / requests
    return found
