#!/usr/bin/env python3
"""Measures octroi beside nginx, on one machine, in alternating rounds.

What is compared (one worker each, pinned to the first core; load and upstream on the second):
  octroi-public   a route without sign-in
  octroi-session  a route that asks for a session, with many live sessions
  nginx-plain     nginx as a TLS proxy that authenticates nobody
  nginx-auth      nginx with auth_request to the compiled endpoint in bench/auth-endpoint
  floor           Pingora as it comes, in front of the same service: what nothing built on it can go below (bench/floor)

Everything goes to loopback, bounded in count; each process is stopped by its own id.
Usage: ./dev bench [--quick] [--rounds N] [--requests N] [--sessions N]
"""

import argparse
import itertools
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import report
from measures import allocations, handshakes, memory, throughput
from systems import HOST_PUBLIC, HOST_SESSION, ROOT, Floor, Nginx, Octroi, SocketUpstream, Upstream, pss_kib


def arguments_of():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a look: one short round, 2,000 sessions, fewer connections")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--requests", type=int)
    parser.add_argument("--sessions", type=int, help="live sessions while measuring")
    parser.add_argument("--binary", default=ROOT / "target/release/octroi", help="built with --features load-test")
    parser.add_argument("--counting", default=ROOT / "target/bench/octroi-counting", help="the same, also with count-allocations")
    parser.add_argument("--endpoint", default=ROOT / "target/bench/release/auth-endpoint")
    parser.add_argument("--floor", default=ROOT / "target/bench/release/floor")
    arguments = parser.parse_args()
    rounds, requests, sessions, arguments.connections = (1, 4_000, 2_000, 200) if arguments.quick else (7, 20_000, 100_000, 1_000)
    arguments.rounds = arguments.rounds or rounds
    arguments.requests = arguments.requests or requests
    arguments.sessions = arguments.sessions or sessions
    for tool in ("nginx", "h2load", "taskset"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing: run ./dev bench, which installs it")
    return arguments


def measure(folder, running, arguments):
    def begin(system):
        running.append(system)
        return system

    upstream, sockets = begin(Upstream(folder)), begin(SocketUpstream())
    empty = begin(Octroi("octroi-empty", folder, upstream, sockets, arguments.binary, 1))
    full = begin(Octroi("octroi-full", folder, upstream, sockets, arguments.binary, arguments.sessions))
    token_file = folder / "token"
    token_file.write_text(full.token)
    common = (folder, upstream, sockets, full.cert, token_file, arguments.sessions)
    plain = begin(Nginx("nginx-plain", *common))
    auth = begin(Nginx("nginx-auth", *common, arguments.endpoint))
    time.sleep(2)
    names = {"octroi": full, "octroi with one session": empty, "nginx": plain, "nginx with the endpoint": auth}
    measured = {"rest": {name: pss_kib(system.pids()) for name, system in names.items()}}
    systems = [
        ("octroi-public", full, HOST_PUBLIC, full.token),
        ("octroi-session", full, HOST_SESSION, full.token),
        ("nginx-plain", plain, HOST_PUBLIC, full.token),
        ("nginx-auth", auth, HOST_SESSION, full.token),
        ("floor", begin(Floor(upstream, full.cert, arguments.floor)), HOST_PUBLIC, full.token),
    ]
    measured["results"] = throughput(systems, arguments.rounds, arguments.requests, folder)
    measured["memory"], measured["tls"] = {}, {}
    numbers = itertools.count()
    beginners = {
        "octroi": (
            lambda: begin(Octroi(f"octroi-{next(numbers)}", folder, upstream, sockets, arguments.binary, 10)),
            lambda system: system.token,
        ),
        "nginx": (lambda: begin(Nginx(f"nginx-{next(numbers)}", *common)), lambda _: full.token),
    }
    for name, system in (("octroi", full), ("nginx", plain)):
        print(f"{name}: memory of connections, handshakes", flush=True)
        fresh, token_of = beginners[name]
        measured["memory"][name] = memory(fresh, HOST_SESSION, token_of, arguments.connections)
        measured["tls"][name] = [handshakes(system, HOST_PUBLIC, resumed, arguments.connections) for resumed in (False, True)]
    measured["allocations"] = {}
    if pathlib.Path(arguments.counting).exists():
        counting = begin(Octroi("octroi-counting", folder, upstream, sockets, arguments.counting, 10))
        measured["allocations"] = allocations(counting, HOST_SESSION, counting.token, 2_000, folder)
    grown = (measured["rest"]["octroi"] - measured["rest"]["octroi with one session"]) * 1024 / 1e6
    measured["figures"] = report.figures(measured["results"], measured["memory"], grown * 100_000 / arguments.sessions)
    return measured


def main():
    arguments = arguments_of()
    folder, running = pathlib.Path(tempfile.mkdtemp(prefix="octroi-bench-")), []
    try:
        measured = measure(folder, running, arguments)
        text = report.as_text(measured, arguments)
        print("\n" + text)
        out = ROOT / "target" / "bench"
        out.mkdir(parents=True, exist_ok=True)
        (out / "report.md").write_text(text)
        (out / "results.json").write_text(json.dumps(report.as_json(measured, arguments), indent=1) + "\n")
        print(f"written: {out / 'report.md'}, {out / 'results.json'}")
    finally:
        for system in reversed(running):
            for process in [system.process, *getattr(system, "helpers", [])]:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
