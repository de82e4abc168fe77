"""What happens inside one attempt of a task, on Lambda, in a Batch container and on the laptop alike."""
