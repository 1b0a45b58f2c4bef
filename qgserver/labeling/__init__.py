"""Labels: what a layer's settings ask for, where the labels of a map find room, and how they are drawn.

``model`` holds the types that the files exchange. A map's way through the room: ``reading`` (XML -> settings, once per
style) · ``register`` (a batch's features -> ``Item`` and ``Obstacle``) · ``place`` (all items of the map -> ``Placed``)
· ``draw``.
"""
