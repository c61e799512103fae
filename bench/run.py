#!/usr/bin/env python3
"""Measures octroi beside nginx, on one machine, in alternating rounds.

What is compared (one worker each, pinned to the first core; load and upstream on the second):
  octroi-public   a route without sign-in
  octroi-session  a route that asks for a session, with many live sessions
  nginx-plain     nginx as a TLS proxy that authenticates nobody
  nginx-auth      nginx with auth_request to the compiled endpoint in bench/auth-endpoint

Everything goes to loopback, bounded in count; each process is stopped by its own id.
Usage: ./dev bench [--rounds N] [--requests N] [--sessions N]
"""

import argparse
import http.client
import json
import os
import pathlib
import platform
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
GATEWAY_CORE, LOAD_CORE = "0", "1"
HOST_SESSION, HOST_PUBLIC, PORTAL = "session.localhost", "public.localhost", "login.localhost"
BODY = "x" * 1024
LIVE_SESSIONS = 100_000


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(core, *command, **options):
    return subprocess.Popen(["taskset", "-c", core, *map(str, command)], **options)


def family(pid):
    """The process and its children."""
    pids, children = [pid], pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    if children.exists():
        for child in children.read_text().split():
            pids += family(int(child))
    return pids


def cpu_seconds(pids):
    """User and system time so far, of all the processes together."""
    ticks = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / CLOCK_TICKS


def pss_kib(pids):
    """Proportional set size: shared pages are counted once."""
    total = 0
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def wait_for(port, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nothing listens on port {port}")


def certificate(home):
    """A certificate of P-256 for the three hosts, for octroi and nginx alike."""
    chain, key = home / "tls" / "chain.pem", home / "tls" / "key.pem"
    chain.parent.mkdir(exist_ok=True)
    names = ",".join(f"DNS:{host}" for host in (PORTAL, HOST_SESSION, HOST_PUBLIC))
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-days", "30", "-subj", "/CN=bench", "-addext", f"subjectAltName={names}"]
    subprocess.run([*command, "-keyout", key, "-out", chain], check=True, stderr=subprocess.DEVNULL)
    key.chmod(0o600)
    return chain, key


class Upstream:
    """One nginx worker that answers 1 KiB from memory."""

    def __init__(self, folder):
        self.port = free_port()
        conf = folder / "upstream.conf"
        conf.write_text(
            f"""daemon off; worker_processes 1; pid {folder}/upstream.pid; error_log {folder}/upstream.err;
events {{ worker_connections 8192; }}
http {{ access_log off; keepalive_requests 100000000; default_type text/plain;
server {{ listen 127.0.0.1:{self.port}; location / {{ return 200 "{BODY}"; }} }} }}
"""
        )
        self.process = start(LOAD_CORE, "nginx", "-c", conf, stderr=subprocess.DEVNULL)
        wait_for(self.port)


class Nginx:
    """nginx as TLS proxy, with or without auth_request."""

    def __init__(self, name, folder, upstream, cert, token_file, endpoint=None):
        self.name, self.port = name, free_port()
        self.helpers, check, auth = [], "", ""
        if endpoint:
            helper = start(
                GATEWAY_CORE, endpoint, "127.0.0.1:0", token_file, LIVE_SESSIONS, stdout=subprocess.PIPE, text=True
            )
            self.helpers.append(helper)
            auth = f"upstream check {{ server {helper.stdout.readline().strip()}; keepalive 64; keepalive_requests 100000000; }}"
            check = """auth_request /check; auth_request_set $account $upstream_http_remote_user;
proxy_set_header Remote-User $account;"""
        internal = (
            """location = /check { internal; proxy_pass http://check; proxy_http_version 1.1;
proxy_set_header Connection ""; proxy_pass_request_body off; proxy_set_header Content-Length ""; }"""
            if endpoint
            else ""
        )
        conf = folder / f"{name}.conf"
        conf.write_text(
            f"""daemon off; worker_processes 1; pid {folder}/{name}.pid; error_log {folder}/{name}.err;
events {{ worker_connections 16384; }}
http {{ access_log {folder}/{name}.log; keepalive_requests 100000000; keepalive_timeout 600s;
ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:s:10m; ssl_session_tickets on;
upstream service {{ server 127.0.0.1:{upstream.port}; keepalive 64; keepalive_requests 100000000; }}
{auth}
server {{ listen 127.0.0.1:{self.port} ssl http2; server_name _;
ssl_certificate {cert[0]}; ssl_certificate_key {cert[1]};
location / {{ {check} proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection "";
proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto https; }}
{internal} }} }}
"""
        )
        self.process = start(GATEWAY_CORE, "nginx", "-c", conf, stderr=subprocess.DEVNULL)
        wait_for(self.port)

    def pids(self):
        return [pid for each in [self.process, *self.helpers] for pid in family(each.pid)]


class Octroi:
    """The gateway, installed as an operator would, with many people signed in."""

    def __init__(self, folder, upstream, binary, sessions):
        self.port, plain, management = free_port(), free_port(), free_port()
        self.management = management
        home = folder / f"octroi-{sessions}"
        quiet = {"check": True, "stdout": subprocess.DEVNULL}
        subprocess.run([binary, "init", home, "--portal", PORTAL], **quiet)
        self.cert = certificate(home)
        config = home / "octroi.toml"
        text = (ROOT / "bench" / "octroi.toml").read_text()
        for key, value in {
            "HTTPS": f"127.0.0.1:{self.port}",
            "HTTP": f"127.0.0.1:{plain}",
            "MANAGEMENT": f"127.0.0.1:{management}",
            "HOME": home,
            "UPSTREAM": f"127.0.0.1:{upstream.port}",
        }.items():
            text = text.replace(f"@{key}@", str(value))
        config.write_text(text)
        print(f"making {sessions} sessions", flush=True)
        command = [binary, "load-test", "-c", config, "--host", HOST_SESSION]
        command += ["--accounts", str(sessions), "--sessions", str(sessions)]
        seeded = subprocess.run(command, check=True, capture_output=True, text=True)
        self.token = seeded.stdout.strip().splitlines()[-1]
        with open(home / "access.log", "w") as access, open(home / "log", "w") as log:
            self.process = start(GATEWAY_CORE, binary, "serve", "-c", config, stdout=access, stderr=log)
        wait_for(self.port, 60)

    def pids(self):
        return family(self.process.pid)


def load(port, host, protocol, requests, token, log):
    """One run of h2load; returns requests a second and latencies in ms."""
    command = ["taskset", "-c", LOAD_CORE, "h2load", "-n", str(requests), "-c", "32", "-t", "1", "--log-file", str(log)]
    command += ["--h1"] if protocol == "h1" else ["-m", "8"]
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
    return rate, micros[len(micros) // 2] / 1000, micros[int(len(micros) * 0.99)] / 1000


def throughput(systems, rounds, requests, folder):
    results = {}
    for index in range(rounds + 1):
        for protocol in ("h1", "h2"):
            # The order turns each round, so that no system always follows the same neighbour.
            turn = index % len(systems)
            for name, system, host, token in systems[turn:] + systems[:turn]:
                before = cpu_seconds(system.pids())
                rate, p50, p99 = load(system.port, host, protocol, requests, token, folder / "h2load.log")
                used = (cpu_seconds(system.pids()) - before) * 100_000 / requests
                (folder / "h2load.log").unlink()
                if index:  # The first round only warms up.
                    results.setdefault((name, protocol), []).append((used, rate, p50, p99))
                print(f"round {index} {protocol} {name:15} {used:6.2f} CPU-s/100k {rate:8.0f}/s p99 {p99:6.2f} ms", flush=True)
    return results


def tls_context(protocol):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2" if protocol == "h2" else "http/1.1"])
    return context


def idle_memory(system, host, token, protocol, count=1000):
    """KiB of proportional set size for one connection that has served a request and rests."""
    context, open_connections = tls_context(protocol), []

    def connect():
        raw = socket.create_connection(("127.0.0.1", system.port))
        tls = context.wrap_socket(raw, server_hostname=host)
        if protocol == "h1":
            tls.sendall(f"GET /item HTTP/1.1\r\nHost: {host}:{system.port}\r\nCookie: __Host-octroi={token}\r\n\r\n".encode())
            received = b""
            while BODY.encode() not in received:
                received += tls.recv(65536)
        else:
            tls.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
            tls.recv(65536)
            tls.sendall(b"\0\0\0\4\1\0\0\0\0")
        open_connections.append(tls)

    for _ in range(100):
        connect()
    time.sleep(1)
    before = pss_kib(system.pids())
    for _ in range(count):
        connect()
    time.sleep(1)
    grown = pss_kib(system.pids()) - before
    for each in open_connections:
        each.close()
    time.sleep(1)
    return grown / count


def handshakes(system, host, resumed, count=1000):
    """CPU-seconds of 1,000 handshakes, in TLS 1.3 with a request each so that tickets arrive."""
    context, session = tls_context("h1"), None
    before = cpu_seconds(system.pids())
    for _ in range(count):
        with socket.create_connection(("127.0.0.1", system.port)) as raw:
            with context.wrap_socket(raw, server_hostname=host, session=session if resumed else None) as tls:
                tls.sendall(f"HEAD /item HTTP/1.1\r\nHost: {host}:{system.port}\r\nConnection: close\r\n\r\n".encode())
                while tls.recv(65536):
                    pass
                session = tls.session
    return (cpu_seconds(system.pids()) - before) * 1000 / count


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def report(results, memory, tls, rest, arguments):
    lines = ["| system | protocol | CPU-s per 100,000 | requests/s | p50 ms | p99 ms |", "|---|---|---|---|---|---|"]
    for (name, protocol), rows in sorted(results.items()):
        cells = [spread(column) for column in zip(*rows)]
        lines.append(f"| {name} | {protocol} | {cells[0]} | {cells[1]} | {cells[2]} | {cells[3]} |")
    for protocol in ("h1", "h2"):
        median = {name: statistics.median(row[0] for row in rows) for (name, p), rows in results.items() if p == protocol}
        if {"octroi-session", "octroi-public", "nginx-auth"} <= median.keys():
            lines.append(
                f"\n{protocol}: session / public = {median['octroi-session'] / median['octroi-public']:.3f}, "
                f"session / nginx-auth = {median['octroi-session'] / median['nginx-auth']:.3f}"
            )
    lines += ["", "| system | KiB per idle h1 | KiB per idle h2 | full handshake, CPU-ms | resumed, CPU-ms | at rest, MiB |", "|---|---|---|---|---|---|"]
    for name in memory:
        lines.append(f"| {name} | {memory[name]['h1']:.1f} | {memory[name]['h2']:.1f} | {tls[name][0]:.2f} | {tls[name][1]:.2f} | {rest[name] / 1024:.1f} |")
    machine = f"{platform.platform()}, {os.cpu_count()} cores; {time.strftime('%Y-%m-%d')}; {arguments.rounds} rounds of {arguments.requests} requests"
    return machine + "\n\n" + "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--sessions", type=int, default=LIVE_SESSIONS, help="live sessions while measuring")
    parser.add_argument("--binary", default=ROOT / "target/release/octroi", help="built with --features load-test")
    parser.add_argument("--endpoint", default=ROOT / "target/bench/release/auth-endpoint")
    arguments = parser.parse_args()
    for tool in ("nginx", "h2load", "taskset"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing: run ./dev bench, which installs it")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="octroi-bench-"))
    running = []
    try:
        upstream = Upstream(folder)
        running.append(upstream)
        empty = Octroi(folder, upstream, arguments.binary, 1)
        running.append(empty)
        full = Octroi(folder, upstream, arguments.binary, arguments.sessions)
        running.append(full)
        token_file = folder / "token"
        token_file.write_text(full.token)
        plain = Nginx("nginx-plain", folder, upstream, full.cert, token_file)
        running.append(plain)
        auth = Nginx("nginx-auth", folder, upstream, full.cert, token_file, arguments.endpoint)
        running.append(auth)
        time.sleep(2)
        rest = {"octroi": pss_kib(full.pids()), "octroi, 1 session": pss_kib(empty.pids()), "nginx": pss_kib(plain.pids())}
        systems = [
            ("octroi-public", full, HOST_PUBLIC, full.token),
            ("octroi-session", full, HOST_SESSION, full.token),
            ("nginx-plain", plain, HOST_PUBLIC, full.token),
            ("nginx-auth", auth, HOST_SESSION, full.token),
        ]
        results = throughput(systems, arguments.rounds, arguments.requests, folder)
        memory, tls = {}, {}
        for name, system in (("octroi", full), ("nginx", plain)):
            memory[name] = {p: idle_memory(system, HOST_PUBLIC, full.token, p) for p in ("h1", "h2")}
            tls[name] = [handshakes(system, HOST_PUBLIC, resumed) for resumed in (False, True)]
        text = report(results, memory, tls, rest, arguments)
        text += f"\n{arguments.sessions} sessions take {(rest['octroi'] - rest['octroi, 1 session']) / 1024:.1f} MiB.\n"
        print("\n" + text)
        out = ROOT / "target" / "bench"
        out.mkdir(parents=True, exist_ok=True)
        (out / "report.md").write_text(text)
        (out / "results.json").write_text(json.dumps({f"{n} {p}": rows for (n, p), rows in results.items()}))
    finally:
        for each in reversed(running):
            for process in [each.process, *getattr(each, "helpers", [])]:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
