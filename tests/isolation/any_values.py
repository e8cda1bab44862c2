"""Values of all kinds that cross, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
flat = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**200), 2**200),
    st.floats(allow_nan=False),
    st.complex_numbers(allow_nan=False),
    st.fractions(),
    st.decimals(allow_nan=False, min_value=-(10**9), max_value=10**9),
    text,
    st.binary(max_size=8),
)
keys = flat | st.tuples(flat, flat) | st.frozensets(flat, max_size=3)
values = st.recursive(
    flat | st.sets(keys, max_size=3),
    lambda part: st.one_of(
        st.lists(part, max_size=4),
        st.lists(part, max_size=4).map(tuple),
        st.dictionaries(keys, part, max_size=4),
        st.builds(slice, part, part, part),
    ),
    max_leaves=20,
)


def deep(levels):
    """Lists within lists."""
    value = []
    for _ in range(levels - 1):
        value = [value]
    return value
