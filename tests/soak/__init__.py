"""Kill parts of the running product at random while it publishes, and look whether every end is true."""
