"""What can be asked for over HTTP: one call and a docstring each."""
