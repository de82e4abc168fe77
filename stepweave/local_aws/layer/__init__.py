"""What replaces functions of ministack inside the server, a part for each concern; `parts` lists them."""
