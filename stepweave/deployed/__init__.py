"""A deployed environment, seen from outside: how things are named in it, and what a person does with its runs."""
