"""What touches the world: one package per outside system, each with client, mapping, activities and settings."""
