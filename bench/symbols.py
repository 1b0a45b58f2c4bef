"""Times maps of many features with elaborate symbols against QGIS Server, both in processes of their own, in turns.

    bench/symbols.py FOLDER [ROUNDS]        FOLDER is made when it is missing, and kept

One line a case: median milliseconds of both, the median ratio of a round (below 1 we are faster) and the score of our
picture. QGIS itself is asked through ../shared/tools (or QGSERVER_SHARED).
"""

from __future__ import annotations

import io
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TOOLS = Path(os.environ.get("QGSERVER_SHARED", HERE.parent.parent / "shared")) / "tools"
CASES = ("svg_markers", "marker_lines", "gradient_fills", "line_patterns", "point_patterns")
QUERY = (
    "MAP={project}&SERVICE=WMS&VERSION=1.1.1&REQUEST=GetMap&LAYERS={layer}&STYLES=&SRS=EPSG:3857&FORMAT=image/png"
    "&WIDTH=800&HEIGHT=800&BBOX={shift},{shift},{end},{end}"
)
ANSWERS = {"ours": "qgserver.wsgi", "qgis": "qgis_wsgi"}


def answer() -> None:
    """The process of a server: a query a line in; milliseconds and the length of the picture out, then the picture."""
    application: Any = import_module(sys.argv[2]).application
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    for line in sys.stdin:
        environ = {
            "REQUEST_METHOD": "GET",
            "QUERY_STRING": line.strip(),
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": sys.stderr,
        }
        began = time.perf_counter()
        body = b"".join(application(environ, lambda status, headers: None))
        spent = (time.perf_counter() - began) * 1000
        out.write(b"%.3f %d\n" % (spent, len(body)) + body)
        out.flush()


@contextmanager
def server(python: str, module: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that answers queries."""
    environ = {**os.environ, "QGSERVER_PROJECT_ROOTS": str(folder), "PYTHONPATH": f"{HERE.parent}:{TOOLS}"}
    command = [python, "-W", "ignore", __file__, "--answer", module]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def ask(process: subprocess.Popen[bytes], query: str) -> tuple[float, bytes]:
    """Milliseconds, and the picture."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process has no pipes")
    process.stdin.write(query.encode() + b"\n")
    process.stdin.flush()
    spent, length = process.stdout.readline().split()
    return float(spent), process.stdout.read(int(length))


def main(folder: Path, rounds: int) -> None:
    """Make the data, time each case, print the table."""
    project = folder / "symbols.qgs"
    if not project.exists():
        subprocess.run(["/usr/bin/python3", str(HERE / "make_symbols.py"), str(folder)], check=True)
    sys.path.insert(0, str(TOOLS))
    compare_images: Any = import_module("compare_oracle").compare_images
    with (
        server(sys.executable, ANSWERS["ours"], folder) as ours,
        server("/usr/bin/python3", ANSWERS["qgis"], folder) as qgis,
    ):
        print(f"{'case':16} {'ours':>8} {'qgis':>8} {'ratio':>6} {'score':>6}")
        for layer in CASES:
            times = []
            for number in range(rounds + 1):
                query = QUERY.format(project=project, layer=layer, shift=number * 20, end=number * 20 + 9000)
                (mine, picture), (other, expected) = ask(ours, query), ask(qgis, query)
                times.append((mine, other))
                if number == 0:
                    score = compare_images(expected, picture)["score"]
                    (folder / f"{layer}.ours.png").write_bytes(picture)
                    (folder / f"{layer}.qgis.png").write_bytes(expected)
            warm = times[1:]
            middle = [statistics.median(column) for column in zip(*warm, strict=True)]
            ratio = statistics.median(mine / other for mine, other in warm)
            print(f"{layer:16} {middle[0]:8.1f} {middle[1]:8.1f} {ratio:6.2f} {score:6.1f}", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--answer":
        answer()
    else:
        main(Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 5)
