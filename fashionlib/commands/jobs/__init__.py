"""What the commands do: files in, files out, without the words of a command line."""
