"""Where artifacts and run records live: a local folder or S3 for objects, SQLite for the records of embedded runs."""
