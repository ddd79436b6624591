"""A pytest plugin that certifies connector configs against recorded traffic."""
