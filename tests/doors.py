"""The four ways to run qgserver under a real web server, each from its template in ``deploy/``.

Everything lives in one temporary folder, listens on a free port of the loopback address and runs as www-data (as the
current user when that is not root), so that permissions are as on a server.
"""

from __future__ import annotations

import http.client
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PREFIX = Path(sys.prefix)
SERVER_USER = "www-data"
APACHE_MODULES = "mpm_event authz_core alias env setenvif mime headers rewrite proxy proxy_http proxy_fcgi fcgid"


def need(*programs: str) -> None:
    """Skip where a program is missing, and say so; in CI that is a failure."""
    missing = [program for program in programs if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin") is None]
    if missing:
        reason = f"not installed: {', '.join(missing)} (./bootstrap check installs them)"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(condition: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:g} s for {what} in vain"
        time.sleep(0.03)


def children(pid: int) -> dict[int, str]:
    """Living descendants of a process: pid -> command line."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # gone meanwhile
            continue
        if fields[0] != "Z":
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found: dict[int, str] = {}
    todo = list(parents.get(pid, ()))
    while todo:
        child = todo.pop()
        todo += parents.get(child, ())
        try:
            found[child] = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
    return found


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Site:
    """One running web server with qgserver behind it."""

    name: str
    folder: Path
    port: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    pool: subprocess.Popen[bytes] | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/qgis"

    def open(self, query: str = "", body: bytes | None = None, **headers: str) -> http.client.HTTPResponse:
        """Send one request, raw UTF-8 where the query holds it, and return the answer unread."""
        head = [f"{'GET' if body is None else 'POST'} /qgis{'?' if query else ''}{query} HTTP/1.1"]
        head += [f"Host: 127.0.0.1:{self.port}", "Connection: close"]
        head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if body is not None:
            head.append(f"Content-Length: {len(body)}")
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout=60)) as sock:
            sock.sendall("\r\n".join((*head, "", "")).encode() + (body or b""))
            response = http.client.HTTPResponse(sock)  # has its own reference to the connection
            try:
                response.begin()
            except Exception:
                response.close()
                raise
        return response

    def ask(self, query: str = "", body: bytes | None = None, **headers: str) -> Answer:
        with closing(self.open(query, body, **headers)) as response:
            return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, response.read())

    def workers(self) -> list[int]:
        """The processes that run qgserver, without the parents that only look after them."""
        tops = [process.pid for process in self.processes]
        ours = {
            pid for top in tops for pid, command in children(top).items() if re.search("qgserver|gunicorn", command)
        }
        return sorted(pid for pid in ours if not children(pid))

    def log(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))


@contextmanager
def serve(project: Path, **environ: str) -> Iterator[Site]:
    """``qgserver serve`` with two processes, without a web server in front."""
    folder = Path(tempfile.mkdtemp(prefix="doors-"))
    site = Site("serve", folder, free_port())
    command = [f"{PREFIX}/bin/qgserver", "serve", str(project), "--port", str(site.port), "--workers", "2"]
    try:
        _start(site, "serve.log", command, environ)
        wait(lambda: _answers(site.port) or site.processes[0].poll() is not None, "qgserver serve")
        assert site.processes[0].poll() is None, site.log()
        yield site
    finally:
        _stop(site)
        shutil.rmtree(folder, ignore_errors=True)


class Doors:
    """Makes sites in one temporary folder."""

    def __init__(self, projects: Mapping[str, str]) -> None:
        """``projects``: variables of the templates (PROJECT, ROOTS)."""
        self.projects = projects

    @contextmanager
    def run(self, name: str, change: Callable[[str], str] = lambda text: text) -> Iterator[Site]:
        """The site of one template: ``apache/qgserver-fcgid``, ... ``change`` edits the filled-in template."""
        folder = Path(tempfile.mkdtemp(prefix="doors-"))
        site = Site(name, folder, free_port())
        (folder / "run").mkdir()
        values = {**self.projects, "PORT": str(site.port), "PREFIX": str(PREFIX), "RUN": str(folder / "run")}
        text = _filled_in(ROOT / "deploy" / f"{name}.conf", values)
        text = text.replace(f"*:{site.port}", f"127.0.0.1:{site.port}").replace("listen ", "listen 127.0.0.1:")
        (folder / "site.conf").write_text(change(text))
        try:
            if "fastcgi" in name or "proxy" in name:
                site.pool = self._pool(site)
            (self._apache if name.startswith("apache") else self._nginx)(site)
            wait(lambda: _answers(site.port) or site.processes[-1].poll() is not None, name)
            assert site.processes[-1].poll() is None, site.log()
            yield site
        finally:
            _stop(site)
            shutil.rmtree(folder, ignore_errors=True)

    def _pool(self, site: Site) -> subprocess.Popen[bytes]:
        environ = {"QGIS_PROJECT_FILE": self.projects["PROJECT"], "QGSERVER_PROJECT_ROOTS": self.projects["ROOTS"]}
        environ |= {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        if "fastcgi" in site.name:
            path = site.folder / "run" / "fcgi.sock"
            command = ["spawn-fcgi", "-n", "-s", str(path), "-M", "0660", "--", f"{PREFIX}/bin/qgserver.fcgi"]
            command += ["--workers", "4"]
        else:
            path = site.folder / "run" / "http.sock"
            command = [f"{PREFIX}/bin/gunicorn", "--bind", f"unix:{path}", "--worker-class", "gthread", "--workers"]
            command += ["2", "--threads", "4", "--preload", "--no-control-socket", "--limit-request-line", "8190"]
            command += ["qgserver.wsgi:application"]
        pool = _start(site, "pool.log", command, environ)
        wait(lambda: path.exists() or pool.poll() is not None, "the pool's socket")
        assert pool.poll() is None, site.log()
        return pool

    def _apache(self, site: Site) -> None:
        modules = Path("/usr/lib/apache2/modules")
        lines = [f"LoadModule {name}_module {modules}/mod_{name}.so" for name in APACHE_MODULES.split()]
        lines += [
            f'ServerRoot "{site.folder}"',
            "ServerName localhost",
            "TypesConfig /dev/null",
            f"PidFile {site.folder}/apache.pid",
            f"DefaultRuntimeDir {site.folder}/run",
            f"ErrorLog {site.folder}/apache.log",
            f"FcgidIPCDir {site.folder}/run",
            f"FcgidProcessTableFile {site.folder}/run/fcgid_shm",
            f"Listen 127.0.0.1:{site.port}",
            "<Directory />\n    Require all denied\n</Directory>",
            f"Include {site.folder}/site.conf",
        ]
        (site.folder / "apache.conf").write_text("\n".join(lines) + "\n")
        _start(site, "out.log", ["/usr/sbin/apache2", "-D", "FOREGROUND", "-f", str(site.folder / "apache.conf")], {})

    def _nginx(self, site: Site) -> None:
        paths = "".join(f"    {name}_temp_path {site.folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi"))
        paths += "".join(f"    {name}_temp_path {site.folder}/{name};\n" for name in ("uwsgi", "scgi"))
        (site.folder / "nginx.conf").write_text(
            f"daemon off;\npid {site.folder}/nginx.pid;\nerror_log {site.folder}/nginx.log;\nevents {{}}\n"
            f"http {{\n{paths}    access_log off;\n    include {site.folder}/site.conf;\n}}\n"
        )
        command = ["/usr/sbin/nginx", "-p", str(site.folder), "-e", str(site.folder / "nginx.log")]
        _start(site, "out.log", [*command, "-c", str(site.folder / "nginx.conf")], {})


def _filled_in(template: Path, values: Mapping[str, str]) -> str:
    """By envsubst, with the variables named, as docs/deployment.md has it."""
    need("envsubst")
    command = ["envsubst", " ".join(f"${name}" for name in values)]
    environ = {"PATH": os.environ["PATH"], **values}
    return subprocess.run(
        command, input=template.read_text(), env=environ, capture_output=True, text=True, check=True
    ).stdout


def _start(site: Site, log: str, command: list[str], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Run in the foreground as the servers' user, with no more of an environment than a server has at boot."""
    user: str | None = None
    if os.getuid() == 0:
        account = pwd.getpwnam(SERVER_USER)
        for path in (site.folder, *site.folder.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid)
        user = SERVER_USER
    with (site.folder / log).open("ab") as output:
        process = subprocess.Popen(
            command,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", **environ},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            user=user,
            group=user,
            extra_groups=[] if user else None,
            cwd="/",
        )
    site.processes.append(process)
    return process


def _answers(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _stop(site: Site) -> None:
    """SIGTERM to each top process, the web server first; whatever still lives after 20 s is killed."""
    below = {pid for process in site.processes for pid in children(process.pid)}
    for process in reversed(site.processes):
        process.send_signal(signal.SIGTERM)
    for process in site.processes:
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for pid in below & set(children(1)):
        os.kill(pid, signal.SIGKILL)
