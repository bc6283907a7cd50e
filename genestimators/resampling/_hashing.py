"""Counter-based random numbers and stable hashes: the same bits on every machine.

Random numbers here are functions, not streams: the number that belongs to a row in
a replicate is computed from (seed, replicate, row) alone. So nothing needs to be
stored, any order of evaluation gives the same result, and replicate 7 is the same
whether 10 or 1000 replicates are drawn. Python's own `hash` is never used: it
changes from process to process.

The mixing function is the finaliser of SplitMix64 [1]_, a bijection of 64-bit words.

References
----------
.. [1] Steele, G. L., Lea, D. & Flood, C. H. (2014). Fast splittable pseudorandom
   number generators. OOPSLA '14, 453-472.
"""

import hashlib
import re
import struct

import numpy as np

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15  # 2**64 divided by the golden ratio, odd
_MULTIPLIER_1 = 0xBF58476D1CE4E5B9
_MULTIPLIER_2 = 0x94D049BB133111EB
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def mix(words):
    """Mix an array of 64-bit words (a new array; a bijection)."""
    words = words ^ (words >> np.uint64(30))
    words *= np.uint64(_MULTIPLIER_1)
    words ^= words >> np.uint64(27)
    words *= np.uint64(_MULTIPLIER_2)
    words ^= words >> np.uint64(31)
    return words


def mix_int(word):
    """The same as `mix` for one Python integer."""
    word &= MASK
    word = ((word ^ (word >> 30)) * _MULTIPLIER_1) & MASK
    word = ((word ^ (word >> 27)) * _MULTIPLIER_2) & MASK
    return word ^ (word >> 31)


def derive(*parts):
    """One 64-bit integer from several integers and strings, in order."""
    state = 0
    for part in parts:
        word = digest(part.encode()) if isinstance(part, str) else int(part)
        state = mix_int(state + GOLDEN + mix_int(word))
    return state


def derive_seed(*parts):
    """A seed for scikit-learn's `random_state`: an integer in [0, 2**31)."""
    return derive(*parts) >> 33


def step(states, index):
    """The word number `index` (0, 1, ..., or an array of them) of each state."""
    if not isinstance(index, np.ndarray):
        return mix(states + np.uint64((GOLDEN * (index + 1)) & MASK))
    return mix(states + np.uint64(GOLDEN) * (index + 1).astype(np.uint64))


def sequence(word, n):
    """The first n words that follow from a 64-bit integer."""
    steps = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(GOLDEN)
    return mix(np.uint64(word) + steps)


def to_unit(words):
    """Words as floats in [0, 1), 53 bits each."""
    # As signed numbers, which are converted faster.
    return (words >> np.uint64(11)).view(np.int64) * 2.0**-53


def digest(data):
    """BLAKE2b of some bytes, as a 64-bit integer."""
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def describe(value):
    """Bytes that say what a Python object is, the same in every process.

    Numbers are told by their float64 value (-0.0 is 0.0), missing values (None, NaN,
    NaT, NA) are all alike, text by its UTF-8 bytes, containers by their items (those
    of a set in any order), anything else by its type and `repr`. An integer that
    float64 cannot hold is told by its digits, so long ids are never taken for equal.
    """
    if isinstance(value, str):
        return b"s" + value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return b"b" + value
    if value is None:
        return b"missing"
    if isinstance(value, (bool, int, float, np.bool_, np.integer, np.floating)):
        try:
            number = float(value) + 0.0
        except OverflowError:
            return b"r" + str(value).encode()
        if number != number:
            return b"missing"
        if isinstance(value, (int, np.integer)) and int(value) != number:
            return b"r" + str(int(value)).encode()
        return b"n" + struct.pack("<d", number)
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, dict):
        value = list(value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        parts = [describe(item) for item in value]
        kind = b"l"
        if isinstance(value, (set, frozenset)):  # its order changes with the process
            kind = b"u"
            parts.sort()
        sizes = struct.pack(f"<{len(parts)}q", *(len(part) for part in parts))
        return kind + sizes + b"".join(parts)
    if isinstance(value, (np.datetime64, np.timedelta64)) and np.isnat(value):
        return b"missing"
    text = repr(value)
    if text in ("NaT", "<NA>", "nan"):
        return b"missing"
    if _ADDRESS.search(text):
        raise TypeError(
            "Rows are hashed by content, and the repr of an object in them holds a "
            f"memory address, which changes from run to run. Got {text}. Pass numbers "
            'or strings, or a resampler with key="position".'
        )
    return b"r" + f"{type(value).__module__}.{type(value).__qualname__}:{text}".encode()


def hash_objects(values):
    """Hash each item of a one-dimensional sequence of Python objects."""
    known = {}
    out = np.empty(len(values), dtype=np.uint64)
    for i, value in enumerate(values):
        try:
            word = known.get((type(value), value))
        except TypeError:  # not hashable: a list, a dictionary
            out[i] = digest(describe(value))
            continue
        if word is None:
            word = known[type(value), value] = digest(describe(value))
        out[i] = word
    return out
