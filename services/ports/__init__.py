"""The client of a port: it reads releases from topics or over HTTP, and answers whether a container
may leave."""
