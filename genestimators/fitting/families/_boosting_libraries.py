"""Boosting of other libraries, recognised by what they can do."""
