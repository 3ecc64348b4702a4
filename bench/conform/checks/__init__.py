"""The checks behind the properties, one file a subject."""
