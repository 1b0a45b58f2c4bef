"""Output formats of GetFeature, one file each; importing the package makes them known."""

from qgserver.ows.wfs.formats import commaseparated as commaseparated
from qgserver.ows.wfs.formats import flatgeobuf as flatgeobuf
from qgserver.ows.wfs.formats import geojson as geojson
from qgserver.ows.wfs.formats import geopackage as geopackage
from qgserver.ows.wfs.formats import gml as gml
from qgserver.ows.wfs.formats import gml32 as gml32
from qgserver.ows.wfs.formats import shapefile as shapefile
from qgserver.ows.wfs.outputformat import Format as Format
from qgserver.ows.wfs.outputformat import find_format as find_format
from qgserver.ows.wfs.outputformat import formats as formats
from qgserver.ows.wfs.outputformat import mime_types as mime_types
