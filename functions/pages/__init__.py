"""HTTP: the pages, and what they share: drawings, words, rendering."""
