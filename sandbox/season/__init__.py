"""The demo season: a scripted stretch of an agency's life, the same every time."""
