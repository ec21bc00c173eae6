"""What is asked of the database, in the words of the house. Each function works in the session it is given."""
