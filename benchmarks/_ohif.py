"""The peer of the viewer: OHIF from npm with Debian's Orthanc over DICOMweb. Fetched on demand, never shipped. One
small server serves OHIF's build (gzip, long cache for hashed names) and proxies DICOMweb to Orthanc."""

import contextlib
import gzip
import http.client
import json
import mimetypes
import os
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pydicom

from voxloop.embedded.processes import free_port

VERSION = "3.13.2"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "voxloop-bench"
PLUGIN = "libOrthancDicomWeb.so"
CONFIG = """
const root = location.origin + "/dicom-web";
window.config = {
  routerBasename: "/", extensions: [], modes: [], showStudyList: true, defaultDataSourceName: "orthanc",
  dataSources: [{
    namespace: "@ohif/extension-default.dataSourcesModule.dicomweb", sourceName: "orthanc",
    configuration: {
      friendlyName: "Orthanc", name: "orthanc", wadoUriRoot: root, qidoRoot: root, wadoRoot: root,
      qidoSupportsIncludeField: false,
      imageRendering: "wadors", thumbnailRendering: "wadors", enableStudyLazyLoad: true,
      supportsFuzzyMatching: false, supportsWildcard: true, omitQuotationForMultipartRequest: true,
    },
  }],
};
"""


class UnavailableError(Exception):
    """The peer is not available here; the text says what is missing."""


def _build() -> Path:
    """OHIF's own build, from the npm package."""
    folder = CACHE / f"ohif-{VERSION}"
    if not folder.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["npm", "pack", f"@ohif/app@{VERSION}", "--pack-destination", str(CACHE)], capture_output=True, text=True
        )
        package = CACHE / f"ohif-app-{VERSION}.tgz"
        if done.returncode or not package.is_file():
            raise UnavailableError(f"npm does not provide @ohif/app {VERSION}")
        with tempfile.TemporaryDirectory(dir=CACHE) as name, tarfile.open(package) as packed:
            packed.extractall(name, filter="data")
            (Path(name) / "package" / "dist").rename(folder)
        package.unlink()
    return folder


def _plugin() -> Path:
    """The DICOMweb plugin: the installed one, else the one inside Debian's package."""
    for folder in (Path("/usr/lib/orthanc"), CACHE / "orthanc" / "usr" / "lib" / "orthanc"):
        for path in sorted(folder.glob(f"{PLUGIN}*")):
            return path
    unpacked = CACHE / "orthanc"
    unpacked.mkdir(parents=True, exist_ok=True)
    if subprocess.run(["apt-get", "download", "orthanc-dicomweb"], cwd=unpacked, capture_output=True).returncode:
        raise UnavailableError("Debian's orthanc-dicomweb is missing and apt-get cannot fetch it")
    for package in unpacked.glob("orthanc-dicomweb_*.deb"):
        subprocess.run(["dpkg", "-x", str(package), str(unpacked)], check=True)
    return next((unpacked / "usr" / "lib" / "orthanc").glob(f"{PLUGIN}*"))


@contextlib.contextmanager
def running_ohif(scan: Path) -> Iterator[str]:
    """Address of OHIF with three planes of this series; raises `UnavailableError`."""
    orthanc = shutil.which("Orthanc")
    if orthanc is None:
        raise UnavailableError("Debian's orthanc is not installed")
    build, plugin = _build(), _plugin()
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="voxloop-orthanc-") as name:
        settings = {
            "StorageDirectory": name,
            "IndexDirectory": name,
            "HttpPort": port,
            "DicomServerEnabled": False,
            "AuthenticationEnabled": False,
            "Plugins": [str(plugin)],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        }
        path = Path(name) / "orthanc.json"
        path.write_text(json.dumps(settings))
        process = subprocess.Popen([orthanc, str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            files = sorted(scan.glob("*.dcm"))
            _send(port, files)
            with _serve(build, port) as address:
                study = pydicom.dcmread(files[0], stop_before_pixels=True).StudyInstanceUID
                yield f"{address}/viewer?StudyInstanceUIDs={study}&hangingprotocolid=mpr"
        finally:
            process.terminate()
            process.wait(30)


def _send(port: int, files: list[Path]) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/system", timeout=5).close()
            break
        except OSError:
            if time.monotonic() > end:
                raise UnavailableError("Orthanc does not start") from None
            time.sleep(0.2)
    for path in files:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/instances", data=path.read_bytes(), method="POST")
        urllib.request.urlopen(request, timeout=60).close()


@contextlib.contextmanager
def _serve(build: Path, orthanc_port: int) -> Iterator[str]:
    packed: dict[Path, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path.startswith("/dicom-web/"):
                self._pass_on()
                return
            file = build / path.lstrip("/")
            if not file.is_file():
                file = build / "index.html"
            body = CONFIG.encode() if path == "/app-config.js" else file.read_bytes()
            headers = {"Content-Type": mimetypes.guess_type(file.name)[0] or "application/octet-stream"}
            if file.suffix in {".js", ".css", ".html", ".wasm", ".json", ".svg"} and path != "/app-config.js":
                body = packed.setdefault(file, packed.get(file) or gzip.compress(body, 6))
                headers["Content-Encoding"] = "gzip"
            headers["Cache-Control"] = "max-age=31536000, immutable" if "bundle" in file.name else "no-cache"
            self._answer(200, headers, body)

        def _pass_on(self) -> None:
            upstream = http.client.HTTPConnection("127.0.0.1", orthanc_port, timeout=120)
            wanted = {"Accept": self.headers.get("Accept", "*/*")}
            upstream.request("GET", self.path, headers=wanted)
            answer = upstream.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name in {"Content-Type", "Cache-Control"}}
            self._answer(answer.status, kept, answer.read())
            upstream.close()

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """No log."""

    for file in build.glob("app.bundle*"):  # the largest, before it is needed
        packed[file] = gzip.compress(file.read_bytes(), 6)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
