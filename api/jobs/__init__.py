"""Long work: jobs are rows of the database, and queues only say that there are some."""
