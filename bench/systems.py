"""What is compared: octroi, nginx with and without auth_request, and the services behind them."""

import os
import pathlib
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
GATEWAY_CORE, LOAD_CORE = "0", "1"
HOST_SESSION, HOST_PUBLIC, PORTAL = "session.localhost", "public.localhost", "login.localhost"
BODY = "x" * 1024
SOCKET_PATH = "/socket"


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
    """User and system time so far, of all the processes together, exact to a tick."""
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


class SocketUpstream:
    """A service that echoes what comes by WebSocket."""

    def __init__(self):
        script = ROOT / "bench" / "socket_upstream.py"
        self.process = start(LOAD_CORE, sys.executable, script, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())


class Nginx:
    """nginx as TLS proxy, with or without auth_request. Its log is gathered as octroi's is: 50 ms, or a full buffer."""

    def __init__(self, name, folder, upstream, sockets, cert, token_file, sessions, endpoint=None):
        self.name, self.port = name, free_port()
        self.helpers, check, auth = [], "", ""
        if endpoint:
            helper = start(GATEWAY_CORE, endpoint, "127.0.0.1:0", token_file, sessions, stdout=subprocess.PIPE, text=True)
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
http {{ access_log {folder}/{name}.log combined buffer=64k flush=50ms; keepalive_requests 100000000; keepalive_timeout 600s;
ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:s:10m; ssl_session_tickets on;
upstream service {{ server 127.0.0.1:{upstream.port}; keepalive 64; keepalive_requests 100000000; }}
{auth}
server {{ listen 127.0.0.1:{self.port} ssl http2; server_name _;
ssl_certificate {cert[0]}; ssl_certificate_key {cert[1]};
location / {{ {check} proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection "";
proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto https; }}
location {SOCKET_PATH} {{ {check} proxy_pass http://127.0.0.1:{sockets.port}; proxy_http_version 1.1; proxy_read_timeout 600s;
proxy_set_header Host $host; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }}
{internal} }} }}
"""
        )
        self.process = start(GATEWAY_CORE, "nginx", "-c", conf, stderr=subprocess.DEVNULL)
        wait_for(self.port)

    def pids(self):
        return [pid for each in [self.process, *self.helpers] for pid in family(each.pid)]


class Floor:
    """Pingora as it comes, which octroi rests on: nobody is asked, nothing is written."""

    def __init__(self, upstream, cert, binary):
        self.port = free_port()
        where = (f"127.0.0.1:{self.port}", f"127.0.0.1:{upstream.port}")
        self.process = start(GATEWAY_CORE, binary, *where, *cert, stderr=subprocess.DEVNULL)
        wait_for(self.port)

    def pids(self):
        return family(self.process.pid)


class Octroi:
    """The gateway, installed as an operator would, with many people signed in."""

    def __init__(self, name, folder, upstream, sockets, binary, sessions):
        self.port, plain, management = free_port(), free_port(), free_port()
        self.management = management
        home = folder / name
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
            "SOCKETS": f"127.0.0.1:{sockets.port}",
        }.items():
            text = text.replace(f"@{key}@", str(value))
        config.write_text(text)
        print(f"{name}: making {sessions} sessions", flush=True)
        command = [binary, "load-test", "-c", config, "--host", HOST_SESSION]
        command += ["--accounts", str(sessions), "--sessions", str(sessions)]
        seeded = subprocess.run(command, check=True, capture_output=True, text=True)
        self.token = seeded.stdout.strip().splitlines()[-1]
        with open(home / "access.log", "w") as access, open(home / "log", "w") as log:
            self.process = start(GATEWAY_CORE, binary, "serve", "-c", config, stdout=access, stderr=log)
        wait_for(self.port, 60)

    def pids(self):
        return family(self.process.pid)
