"""The revisions, oldest first; a new one is a new file, an old one is never edited after a release."""
