"""General hooks of a server that has none of its own."""
