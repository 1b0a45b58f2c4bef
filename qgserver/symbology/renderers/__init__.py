"""Renderers, one file each, imported when a project has such a one."""

from qgserver.symbology.renderer import renderers

renderers.locate(
    __name__,
    {
        "categorized": "categorizedSymbol",
        "cluster": "pointCluster",
        "displacement": "pointDisplacement",
        "graduated": "graduatedSymbol",
        "heatmap": "heatmapRenderer",
        "inverted": "invertedPolygonRenderer",
        "merged": "mergedFeatureRenderer",
        "null": "nullSymbol",
        "rules": "RuleRenderer",
        "single": "singleSymbol 25dRenderer embeddedSymbol",
    },
)
