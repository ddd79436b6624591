"""A reference engine that interprets declarative connector configs."""
