"""Seed a cache of MapProxy's from a WMS, then ask the proxy for a tile and for features.

``python mapproxy_through.py URL FOLDER VERSION LAYER``: the tile is left in FOLDER/tile.png, the features are
printed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from mapproxy.seed.script import main as seed
from mapproxy.wsgiapp import make_wsgi_app
from werkzeug.test import Client

url, folder, version, layer = sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4]
source = {
    "type": "wms",
    "supported_srs": ["EPSG:3857", "EPSG:4326"],
    "wms_opts": {"version": version, "featureinfo": True},
    "req": {"url": url, "layers": layer, "transparent": True},
}
places = {name: str(folder / name) for name in ("base_dir", "lock_dir", "tile_lock_dir")}
proxy = {
    "services": {"tms": {}, "wms": {"srs": ["EPSG:3857", "EPSG:4326"], "md": {"title": "proxy"}}},
    "layers": [{"name": "world", "title": "world", "sources": ["cache"]}],
    "caches": {"cache": {"grids": ["GLOBAL_MERCATOR"], "sources": ["ours"], "cache": {"type": "file"}}},
    "sources": {"ours": source},
    "globals": {"cache": places, "http": {"client_timeout": 20}},
}
seeding = {"seeds": {"all": {"caches": ["cache"], "levels": [0, 1, 2]}}}
(folder / "proxy.yaml").write_text(json.dumps(proxy))  # JSON is YAML
(folder / "seeding.yaml").write_text(json.dumps(seeding))
sys.argv = ["mapproxy-seed", "-q", "-c", "1", "-f", str(folder / "proxy.yaml"), "-s", str(folder / "seeding.yaml")]
assert not seed()
assert len(list((folder / "base_dir").rglob("*.png"))) >= 21

client = Client(make_wsgi_app(str(folder / "proxy.yaml")))
tile = client.get("/tms/1.0.0/world/EPSG900913/3/4/5.png")
assert tile.status_code == 200, tile.data
(folder / "tile.png").write_bytes(tile.data)
query = "LAYERS=world&QUERY_LAYERS=world&STYLES=&CRS=EPSG:4326&BBOX=40,0,55,20&WIDTH=200&HEIGHT=150&I=100&J=75"
info = client.get(f"/service?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetFeatureInfo&{query}&INFO_FORMAT=text/plain")
assert info.status_code == 200, info.data
print(info.text)
