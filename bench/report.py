"""What is said of it: tables for people, JSON for programs, bars met or missed."""

import os
import platform
import statistics
import time

BARS = [
    ("an authenticated request costs at most 1.05 x a public one, h1", "session/public h1", 1.05),
    ("an authenticated request costs at most 1.05 x a public one, h2", "session/public h2", 1.05),
    ("at most 0.65 x nginx with auth_request, h1", "session/nginx-auth h1", 0.65),
    ("at most 0.55 x nginx with auth_request, h2", "session/nginx-auth h2", 0.55),
    ("KiB for an idle HTTP/1.1 connection", "idle h1", 16),
    ("KiB for an idle HTTP/2 connection", "idle h2", 48),
    ("KiB for an open WebSocket", "websocket", 24),
    ("MB for 100,000 sessions", "sessions MB", 60),
]


def is_met(found, bar):
    """A figure that is no more than nothing was not measured, and meets no bar."""
    return 0 < found <= bar


def machine():
    cpu = next((line.split(": ")[1] for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown\n")
    return f"{cpu.strip()}, {os.cpu_count()} cores, {platform.platform()}"


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def medians(results, protocol):
    return {name: statistics.median(row[0] for row in rows) for (name, p), rows in results.items() if p == protocol}


def figures(results, memory, sessions_mb):
    """Everything that a bar is held against."""
    found = {"sessions MB": sessions_mb, "websocket": memory["octroi"]["websocket"]}
    for protocol in ("h1", "h2"):
        cost = medians(results, protocol)
        found[f"session/public {protocol}"] = cost["octroi-session"] / cost["octroi-public"]
        found[f"session/nginx-auth {protocol}"] = cost["octroi-session"] / cost["nginx-auth"]
        found[f"idle {protocol}"] = memory["octroi"][protocol]
    return found


def as_json(measured, arguments):
    return {
        "machine": machine(),
        "date": time.strftime("%Y-%m-%d"),
        "rounds": arguments.rounds,
        "requests": arguments.requests,
        "sessions": arguments.sessions,
        "throughput": [
            {"system": name, "protocol": protocol, "cpu_s_per_100k": row[0], "per_s": row[1], "p50_ms": row[2], "p99_ms": row[3]}
            for (name, protocol), rows in sorted(measured["results"].items())
            for row in rows
        ],
        "memory_kib": measured["memory"],
        "handshake_cpu_ms": measured["tls"],
        "at_rest_kib": measured["rest"],
        "allocations_per_request": measured["allocations"],
        "bars": [
            {"bar": text, "at_most": bar, "measured": measured["figures"][key], "met": is_met(measured["figures"][key], bar)}
            for text, key, bar in BARS
        ],
    }


def as_text(measured, arguments):
    lines = [
        f"{machine()}; {time.strftime('%Y-%m-%d')}; {arguments.rounds} rounds of {arguments.requests} requests, "
        f"{arguments.sessions} live sessions",
        "",
        "| system | protocol | CPU-s per 100,000 | requests/s | p50 ms | p99 ms |",
        "|---|---|---|---|---|---|",
    ]
    for (name, protocol), rows in sorted(measured["results"].items()):
        cells = " | ".join(spread(column) for column in zip(*rows))
        lines.append(f"| {name} | {protocol} | {cells} |")
    lines += ["", "| | idle h1, KiB | idle h2, KiB | WebSocket, KiB | full handshake, CPU-ms | resumed, CPU-ms |", "|---|---|---|---|---|---|"]
    for name, kib in measured["memory"].items():
        full, resumed = measured["tls"][name]
        lines.append(f"| {name} | {kib['h1']:.1f} | {kib['h2']:.1f} | {kib['websocket']:.1f} | {full:.2f} | {resumed:.2f} |")
    lines += ["", "| at rest | MiB |", "|---|---|"]
    lines += [f"| {name} | {kib / 1024:.1f} |" for name, kib in measured["rest"].items()]
    if measured["allocations"]:
        counted = ", ".join(f"{protocol} {count:.1f}" for protocol, count in measured["allocations"].items())
        lines += ["", f"Heap allocations per authenticated request: {counted}."]
    lines += ["", "| bar | at most | measured | |", "|---|---|---|---|"]
    for text, key, bar in BARS:
        found = measured["figures"][key]
        lines.append(f"| {text} | {bar} | {found:.3g} | {'met' if is_met(found, bar) else '**missed**'} |")
    return "\n".join(lines) + "\n"
