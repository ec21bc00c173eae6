"""Where several collaborators meet to answer a request."""
