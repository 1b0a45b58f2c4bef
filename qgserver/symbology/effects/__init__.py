"""Paint effects, one file each, imported when a project has such a one."""

from qgserver.symbology.effect import effects

effects.locate(
    __name__,
    {
        "blur": "blur",
        "color": "color",
        "drawsource": "drawSource",
        "dropshadow": "dropShadow",
        "innerglow": "innerGlow",
        "innershadow": "innerShadow",
        "outerglow": "outerGlow",
        "transform": "transform",
    },
)
