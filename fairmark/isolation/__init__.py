"""Test cells run in a grader process; what they need of the student crosses a bridge as data."""
