"""Counter-based random numbers and stable hashes of Python objects."""

import os
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pytest

from genestimators.resampling._hashing import (
    GOLDEN,
    MASK,
    derive,
    derive_seed,
    describe,
    digest,
    hash_objects,
    mix,
    mix_int,
    sequence,
    step,
    to_unit,
)


def test_step_is_splitmix64():
    """The first words of SplitMix64 from state 1234567 are the published ones."""
    # Test vector of the reference implementation (Vigna, splitmix64.c, seed 1234567).
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    state = np.array([1234567], dtype=np.uint64)
    assert [int(step(state, i)[0]) for i in range(5)] == published


def test_mix_of_arrays_equals_mix_of_integers():
    """One word at a time and all at once are the same function."""
    words = np.random.default_rng(0).integers(0, 2**64, size=1000, dtype=np.uint64)
    before = words.copy()
    assert mix(words).tolist() == [mix_int(word) for word in words.tolist()]
    assert np.array_equal(words, before)


def test_step_wraps_around():
    """States add up modulo 2**64, at either end of the range."""
    states = np.array([0, 1, MASK], dtype=np.uint64)
    for index in (0, 5, 10**6):
        expected = [mix_int(s + GOLDEN * (index + 1)) for s in states.tolist()]
        assert step(states, index).tolist() == expected


def test_sequence_is_splitmix64():
    """Words that follow from one word are the steps of it."""
    for word in (0, 1234567, MASK):
        steps = [int(step(np.array([word], dtype=np.uint64), i)[0]) for i in range(9)]
        assert sequence(word, 9).tolist() == steps
    assert sequence(1, 0).shape == (0,)


def test_to_unit_lies_below_one():
    """The greatest word is still below one, the least is zero."""
    unit = to_unit(np.array([0, MASK], dtype=np.uint64))
    assert unit[0] == 0.0
    assert unit[1] == 1 - 2.0**-53


def test_derive_is_fixed():
    """Derived seeds are the same in every version of the library."""
    assert derive() == 0
    assert derive(0) == 16294208416658607535
    assert derive(7, "bootstrap") == 41725644105708155
    assert derive_seed(7, "bootstrap") == 41725644105708155 >> 33
    assert digest(b"") == 13020603013274838756


def test_derive_tells_order_and_kind_apart():
    """Parts in another order, or a number in the place of its text, differ."""
    words = [derive(1, 2), derive(2, 1), derive("1", 2), derive(1), derive(1, 2, 0)]
    assert len(set(words)) == len(words)


def test_derive_seed_is_a_random_state():
    """scikit-learn takes seeds in [0, 2**31) on every platform."""
    seeds = [derive_seed(i, "x") for i in range(1000)]
    assert 0 <= min(seeds)
    assert max(seeds) < 2**31


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, 1.0),
        (True, 1),
        (np.int8(3), 3.0),
        (np.float32(0.5), 0.5),
        (-0.0, 0),
        (None, float("nan")),
        (None, np.datetime64("NaT", "s")),
        ((1, 2), [1.0, 2.0]),
        (np.array([1, 2]), [1, 2]),
        ({"a": 1}, {"a": 1.0}),
        (np.str_("a"), "a"),
        ({1, 2}, frozenset([2, 1])),
    ],
)
def test_describe_equal(a, b):
    """Values that mean the same are described alike."""
    assert describe(a) == describe(b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, "1"),
        ("a", b"a"),
        ("", None),
        (["ab", "c"], ["a", "bc"]),
        ([["a"], "b"], ["a", "b"]),
        ([1, 2], [2, 1]),
        (Decimal("1"), 1),
        # Beyond 2**53 float64 no longer holds every integer: ids must stay apart.
        (2**60, 2**60 + 1),
        (10**400, 10**400 + 1),
    ],
)
def test_describe_different(a, b):
    """Values that mean different things are told apart."""
    assert describe(a) != describe(b)


def test_describe_pandas_missing_values():
    """NA and NaT of pandas are missing values like any other."""
    pd = pytest.importorskip("pandas")
    assert describe(pd.NA) == describe(pd.NaT) == describe(None)


def test_describe_refuses_memory_addresses():
    """An address changes from run to run, so it is no content."""
    with pytest.raises(
        TypeError,
        match=r"the repr of an object in them holds a memory address, which changes "
        r"from run to run\. Got <object object at 0x[0-9a-f]+>\. Pass numbers or "
        r'strings, or a resampler with key="position"\.',
    ):
        describe(object())
    with pytest.raises(TypeError, match="memory address"):
        hash_objects([("a", object())])


def test_hash_objects_takes_what_python_cannot_hash():
    """Lists, dictionaries, sets and arrays are hashed by their content."""
    values = [[1, 2], {"a": [1]}, {1, 2}, np.array([1, 2]), (1, 2), [1, 2]]
    words = hash_objects(values)
    assert words[0] == words[3] == words[4] == words[5]
    assert len(np.unique(words)) == 3


def test_hash_objects_equals_one_at_a_time():
    """The memory of values met before changes nothing."""
    values = ["a", 1, 1.0, True, None, "a", 0.0, -0.0, float("nan"), ("a",), 2**70]
    assert hash_objects(values).tolist() == [digest(describe(v)) for v in values]


def test_hashes_do_not_depend_on_the_process():
    """Python's own hash is seeded anew in each process; ours is not."""
    code = (
        "import numpy as np\n"
        "from genestimators.resampling._hashing import hash_objects\n"
        "from genestimators.resampling import Bootstrap\n"
        "values = ['a', {'b', 'c', 'd'}, {'x': 1, 'y': 2}, ('e', 1), b'f']\n"
        "print(hash_objects(values).tolist())\n"
        "X = np.array([[i % 7, 'abc'[i % 3]] for i in range(30)], dtype=object)\n"
        "y = np.array(['u', 'v'] * 15)\n"
        "print(Bootstrap().prepare(X, y, seed=3, classifier=True)[4].rows.tolist())\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("0", "1")
    ]
    answers = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert answers[0] == answers[1] != ""
