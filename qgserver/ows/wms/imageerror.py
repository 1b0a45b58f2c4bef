"""EXCEPTIONS=INIMAGE and BLANK: errors of GetMap as pictures, for clients that only know how to show one."""

from __future__ import annotations

import io

from qgserver.errors import OwsError
from qgserver.ows.exceptions import Report
from qgserver.ows.wms import params
from qgserver.web.request import Request
from qgserver.web.response import Response

PREFIX = "APPLICATION/VND.OGC.SE_"
"""What WMS 1.1.1 puts before ``inimage`` and ``blank``."""
PILLOW = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
MARGIN, CHARACTER_WIDTH = 4, 6
MAX_SIDE = 4096


def image_error(request: Request, found: Report) -> Response | None:
    """The picture that tells of an error, or None when the client did not ask for one (or for no size we would
    draw). It answers 200: browsers and older clients show no other pictures (WMS 1.3.0 clause 6.11)."""
    wanted = params.EXCEPTIONS.of(request).upper().removeprefix(PREFIX)
    if wanted not in ("INIMAGE", "BLANK"):
        return None
    try:
        width, height = params.WIDTH.of(request), params.HEIGHT.of(request)
        transparent, background = params.TRANSPARENT.of(request), params.BGCOLOR.of(request)
    except OwsError:
        return None
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        return None
    mime = next((mime for mime in PILLOW if mime in params.FORMAT.of(request).lower()), "image/png")
    fill = tuple(round(part * 255) for part in background[:3])
    message = found.message if wanted == "INIMAGE" else ""
    alpha = 0 if transparent and mime != "image/jpeg" else 255
    return Response(_picture((width, height), (*fill, alpha), message, PILLOW[mime]), content_type=mime)


def _picture(size: tuple[int, int], fill: tuple[int, ...], message: str, kind: str) -> bytes:
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGBA", size, fill)
    if message:
        ink = (0, 0, 0, 255) if sum(fill[:3]) > 380 or fill[3] == 0 else (255, 255, 255, 255)
        columns = max((size[0] - 2 * MARGIN) // CHARACTER_WIDTH, 1)
        lines = [message[at : at + columns] for at in range(0, min(len(message), 2000), columns)]
        # Pillow's own bitmap font: there may be no other on the machine, and it knows latin-1 only.
        text = "\n".join(lines).encode("latin-1", "replace").decode("latin-1")
        ImageDraw.Draw(image).multiline_text((MARGIN, MARGIN), text, ink, ImageFont.load_default_imagefont(), spacing=2)
    out = io.BytesIO()
    image.convert("RGB" if kind == "JPEG" else "RGBA").save(out, kind)
    return out.getvalue()
