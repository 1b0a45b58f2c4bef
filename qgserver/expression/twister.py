"""The first number of the 64-bit Mersenne Twister for a seed: what QGIS takes for ``rand`` and ``randf``."""

from __future__ import annotations

MASK = 2**64 - 1
WORDS, SHIFT = 312, 156
MULTIPLIER = 6364136223846793005
MATRIX = 0xB5026F5AA96619E9
UPPER, LOWER = 0xFFFFFFFF80000000, 0x7FFFFFFF


def first_number(seed: int) -> int:
    """0..2^64-1 (M. Matsumoto and T. Nishimura, MT19937-64)."""
    word = seed & MASK
    words = [word]
    for index in range(1, SHIFT + 1):
        word = (MULTIPLIER * (word ^ (word >> 62)) + index) & MASK
        words.append(word)
    mixed = (words[0] & UPPER) | (words[1] & LOWER)
    number = words[SHIFT] ^ (mixed >> 1) ^ (MATRIX if mixed & 1 else 0)
    number ^= (number >> 29) & 0x5555555555555555
    number ^= (number << 17) & 0x71D67FFFEDA60000 & MASK
    number ^= (number << 37) & 0xFFF7EEE000000000 & MASK
    return number ^ (number >> 43)
