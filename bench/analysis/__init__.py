"""Analysis: from the records of trials to figures with their uncertainty."""
